import type { Random } from "../support/random.ts";
import type { Killer } from "./history.ts";
import type { Answer, Request } from "./inject.ts";
import { judgeProbe } from "./judge.ts";
import type { ClientAction } from "./plan.ts";
import { Upstream } from "./upstream.ts";
import { administrator, emailOf, type Member, passwordOfAll, type World } from "./world.ts";

interface HeldSession {
  readonly user: string;
  readonly signInSentAtMs: number;
  readonly refreshToken: string;
}

/** Answers after which nothing has happened. */
const refusedBeforeAnything = new Set<unknown>([
  "/problems/replica-stale",
  "/problems/replica-cold",
  "/problems/shutting-down",
]);

/** Users, administrators and upstream systems: what they ask for, and what they hold and saw. */
export class Clients {
  readonly #world: World;
  readonly #upstream: Upstream;
  /** By session id. One whose refresh got no answer is given up. */
  readonly #sessions = new Map<string, HeldSession>();
  #adminToken: { readonly text: string; readonly untilMs: number } | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#upstream = new Upstream(world);
  }

  /** Never rejects: what gets no answer has an outcome that nobody knows. */
  async act(action: ClientAction, random: Random): Promise<void> {
    const member = random.pick(this.#world.apis);
    try {
      await this.#act(action, member, random);
    } catch {
      this.#world.trace(`${action} got no answer`);
    }
  }

  async #act(action: ClientAction, member: Member, random: Random): Promise<void> {
    const user = random.pick(this.#world.userIds);
    switch (action) {
      case "sign-in":
        return this.#signIn(member, user);
      case "refresh":
        return this.#refresh(member, random);
      case "log-out":
        return this.#logOut(member, random);
      case "deactivate":
        return this.#change(member, { user, path: "deactivate", by: { kind: "deactivation" } });
      case "deactivate-and-wait":
        return this.#change(member, {
          user,
          path: "deactivate?wait=enforced&timeout_ms=4000",
          by: { kind: "deactivation" },
        });
      case "sign-out":
        return this.#change(member, { user, path: "sign-out", by: { kind: "sign-out" } });
      case "delete":
        return this.#change(member, { user, path: null, by: { kind: "deactivation" } });
      case "reactivate":
        return this.#reactivate(member, user);
      case "revoke-token":
        return this.#revokeToken(member, random);
      case "publish":
      case "publish-again":
      case "publish-poison":
        return this.#upstream.act(action, user, random);
      case "probe":
      default:
        return this.#probeSomeToken(member, random);
    }
  }

  async #signIn(member: Member, user: string): Promise<void> {
    const signInSentAtMs = this.#world.nowMs;
    const answer = await this.#world.request(member, {
      method: "POST",
      path: "/auth/login",
      body: { email: emailOf(user), password: passwordOfAll },
    });
    if (answer.status === 200) this.#hold(answer, user, signInSentAtMs);
  }

  async #refresh(member: Member, random: Random): Promise<void> {
    const sids = [...this.#sessions.keys()];
    if (sids.length === 0) return;
    const sid = random.pick(sids);
    const session = this.#sessions.get(sid);
    // Not there meanwhile: a refresh token is sent once.
    this.#sessions.delete(sid);
    if (session === undefined) return;
    const body = { refresh_token: session.refreshToken };
    const answer = await this.#world.request(member, { method: "POST", path: "/auth/refresh", body });
    if (answer.status === 200) this.#hold(answer, session.user, session.signInSentAtMs);
  }

  #hold({ body }: Answer, user: string, signInSentAtMs: number): void {
    const { history, records, nowMs } = this.#world;
    const accessToken = String(body["access_token"]);
    const { jti } = claimsOf(accessToken);
    const record = records.get(jti);
    if (record === undefined) {
      history.violate("I10", nowMs, `token ${jti} left its process before it was recorded`);
      return;
    }
    const { sid, issuedAtMs, expiresAtMs } = record;
    history.tokens.push({
      jti,
      user,
      sid,
      accessToken,
      signInSentAtMs,
      receivedAtMs: nowMs,
      issuedAtMs,
      expiresAtMs,
    });
    this.#sessions.set(sid, { user, signInSentAtMs, refreshToken: String(body["refresh_token"]) });
    this.#world.trace(`token ${jti} of user ${user}`);
  }

  async #logOut(member: Member, random: Random): Promise<void> {
    const { tokens } = this.#world.history;
    if (tokens.length === 0) return;
    const { sid, user, accessToken: token } = random.pick(tokens);
    const killer = this.#noteKiller(user, { kind: "session", sid });
    const answer = await this.#world.request(member, { method: "POST", path: "/auth/logout", token });
    this.#noteOutcome(killer, answer, 204);
  }

  async #change(
    member: Member,
    { user, path, by }: { user: string; path: string | null; by: Killer["by"] },
  ): Promise<void> {
    const token = await this.#administratorAt(member);
    const killer = this.#noteKiller(user, by);
    const answer = await this.#world.request(member, {
      method: path === null ? "DELETE" : "POST",
      path: path === null ? `/users/${user}` : `/users/${user}/${path}`,
      token,
    });
    this.#noteOutcome(killer, answer, answer.status === 200 ? 200 : 202);
  }

  async #reactivate(member: Member, user: string): Promise<void> {
    const token = await this.#administratorAt(member);
    this.#world.history.reactivations.push({ user, sentAtMs: this.#world.nowMs });
    await this.#world.request(member, { method: "POST", path: `/users/${user}/reactivate`, token });
  }

  async #revokeToken(member: Member, random: Random): Promise<void> {
    const { tokens } = this.#world.history;
    if (tokens.length === 0) return;
    const { jti, user } = random.pick(tokens);
    const token = await this.#administratorAt(member);
    const killer = this.#noteKiller(user, { kind: "token", jti });
    const request: Request = { method: "POST", path: `/tokens/${jti}/revoke`, token };
    this.#noteOutcome(killer, await this.#world.request(member, request), 202);
  }

  #noteKiller(user: string, by: Killer["by"]): Killer {
    const killer = { user, by, sentAtMs: this.#world.nowMs, ackAtMs: null, eventId: null };
    this.#world.history.killers.push(killer);
    this.#world.trace(`${by.kind} of user ${user} is asked for`);
    return killer;
  }

  #noteOutcome(killer: Killer, { status, body }: Answer, accepted: number): void {
    const { history, nowMs } = this.#world;
    const eventId = body["event_id"];
    const isAnothers = history.killers.some(
      (other) =>
        other !== killer &&
        other.eventId === eventId &&
        (other.by.kind === "deactivation" || other.by.kind === "upstream"),
    );
    if (status === accepted && !(isAnothers && killer.by.kind === "deactivation")) {
      killer.ackAtMs = nowMs;
      if (typeof eventId === "string") killer.eventId = eventId;
    } else if (status < 500 || refusedBeforeAnything.has(body["type"])) {
      killer.ackAtMs = Infinity;
    }
    this.#world.trace(
      `${killer.by.kind} of user ${killer.user}: ${status} ${String(eventId ?? body["type"])}`,
    );
  }

  async #administratorAt(member: Member): Promise<string> {
    const { nowMs } = this.#world;
    if (this.#adminToken !== undefined && nowMs < this.#adminToken.untilMs) return this.#adminToken.text;
    const answer = await this.#world.request(member, {
      method: "POST",
      path: "/auth/login",
      body: administrator,
    });
    if (answer.status !== 200) throw new Error("the administrator cannot sign in");
    const lifetimeMs = this.#world.plan.conditions.tokenLifetimeSeconds * 1_000;
    this.#adminToken = { text: String(answer.body["access_token"]), untilMs: nowMs + lifetimeMs / 2 };
    return this.#adminToken.text;
  }

  /** Rather at an instance that something is wrong with, and with a token that should be dead by now. */
  async #probeSomeToken(member: Member, random: Random): Promise<void> {
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
    const { history } = this.#world;
    const hunted = new Set(history.killers.slice(-6).map(({ user }) => user));
    const tokens = history.tokens.slice(-25);
    const likely = tokens.filter(({ user }) => hunted.has(user));
    const some = likely.length > 0 ? likely : tokens;
    if (some.length > 0) await this.probe(member, random.pick(some).jti).catch(() => null);
  }

  async probe(member: Member, jti: string): Promise<Answer | null> {
    const world = this.#world;
    const token = world.history.tokens.find((one) => one.jti === jti);
    if (token === undefined) return null;
    let handledAtMs = Number.NaN;
    let freshAgeMs = Number.NaN;
    let { life } = member.process;
    const request: Request = { method: "GET", path: "/me", token: token.accessToken };
    const answer = await world.request(member, request, () => {
      handledAtMs = world.nowMs;
      freshAgeMs = world.nowMs - member.freshSentAtMs;
      life = member.process.life;
    });
    judgeProbe(world, { member, life, token, handledAtMs, freshAgeMs, answer });
    return answer;
  }
}

function claimsOf(accessToken: string): { readonly jti: string } {
  const [, payload = ""] = accessToken.split(".");
  const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
  if (typeof claims !== "object" || claims === null || !("jti" in claims)) throw new TypeError("no claims");
  return { jti: String(claims.jti) };
}
