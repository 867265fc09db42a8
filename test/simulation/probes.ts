import type { Random } from "../support/random.ts";
import type { Answer, Request } from "./inject.ts";
import { judgeProbe, judgeReadiness } from "./judge-probe.ts";
import type { Member } from "./member.ts";
import { mustDie } from "./model.ts";
import { sendRequest } from "./request.ts";
import type { World } from "./world.ts";

/** Requests that could show that a token lives which must not, or the other way round. */
export class Probes {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Rather at an instance that something is wrong with, and with a token that should be dead by now. */
  async probeSomeToken(member: Member, random: Random): Promise<void> {
    const troubled = this.#world.apis.filter(
      ({ links, process }) => links.redis.state !== "up" || !process.isUp,
    );
    const isHunting = random.chance(0.6);
    if (isHunting) return this.hunt(troubled.length > 0 ? random.pick(troubled) : member, random);
    const tokens = this.#world.history.tokens.slice(-25);
    if (tokens.length > 0) await this.probe(member, random.pick(tokens).jti);
  }

  /** With a token of somebody whose tokens were lately to die. Never rejects. */
  async hunt(member: Member, random: Random): Promise<void> {
    if (random.chance(0.15)) await this.askReadiness(member).catch(() => null);
    const { history } = this.#world;
    const hunted = new Set(history.killers.slice(-6).map(({ user }) => user));
    const tokens = history.tokens.slice(-25);
    const likely = tokens.filter(({ user }) => hunted.has(user));
    const some = likely.length > 0 ? likely : tokens;
    if (some.length > 0) await this.probe(member, random.pick(some).jti).catch(() => null);
  }

  /** With one of the tokens that the event means, everywhere. Never rejects. */
  async huntAfter(eventId: string, random: Random): Promise<void> {
    const { history, apis } = this.#world;
    const killers = history.killers.filter((killer) => history.eventIdOf(killer) === eventId);
    const meant = history.tokens.filter((token) => killers.some((killer) => mustDie(token, killer, history)));
    if (meant.length === 0) return;
    const { jti } = random.pick(meant);
    await Promise.all(apis.map((member) => this.probe(member, jti).catch(() => null)));
  }

  /** With each of the user's tokens, everywhere. Never rejects. */
  async huntTokensOf(userId: string): Promise<void> {
    const { history, apis } = this.#world;
    for (const { jti } of history.tokens.filter(({ user }) => user === userId)) {
      await Promise.all(apis.map((member) => this.probe(member, jti).catch(() => null)));
    }
  }

  async probe(member: Member, jti: string): Promise<Answer | null> {
    const world = this.#world;
    const token = world.history.tokens.find((one) => one.jti === jti);
    if (token === undefined) return null;
    const request: Request = { method: "GET", path: "/me", token: token.accessToken };
    const { answer, ...seen } = await this.#ask(member, request);
    judgeProbe(world, { member, token, answer, ...seen });
    return answer;
  }

  async askReadiness(member: Member): Promise<void> {
    const { answer, ...seen } = await this.#ask(member, { method: "GET", path: "/readyz" });
    judgeReadiness(this.#world, { member, answer, ...seen });
  }

  async #ask(member: Member, request: Request) {
    const world = this.#world;
    let handledAtMs = Number.NaN;
    let freshAgeMs = Number.NaN;
    let { life } = member.process;
    const answer = await sendRequest(world, {
      member,
      request,
      onHandled: () => {
        handledAtMs = world.nowMs;
        freshAgeMs = world.nowMs - member.freshSentAtMs;
        life = member.process.life;
      },
    });
    return { answer, handledAtMs, freshAgeMs, life };
  }
}
