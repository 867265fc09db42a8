import type { Random } from "../support/random.ts";
import type { Killer } from "./history.ts";
import type { Answer, Request } from "./inject.ts";
import type { Member } from "./member.ts";
import { sendRequest } from "./request.ts";
import type { SignIns } from "./sign-ins.ts";
import type { World } from "./world.ts";

/** Answers after which nothing has happened. */
const refusedBeforeAnything = new Set<unknown>([
  "/problems/replica-stale",
  "/problems/replica-cold",
  "/problems/shutting-down",
]);

/** Whoever ends tokens over the API, and reads what became of it. */
export class Administration {
  /** Told of what was accepted. */
  onAccepted: (killer: Killer) => void = () => undefined;
  readonly #world: World;
  readonly #signIns: SignIns;

  constructor(world: World, signIns: SignIns) {
    this.#world = world;
    this.#signIns = signIns;
  }

  async logOut(member: Member, random: Random): Promise<void> {
    const { tokens } = this.#world.history;
    if (tokens.length === 0) return;
    const { sid, user, accessToken: token } = random.pick(tokens);
    const killer = this.#noteKiller(user, { kind: "session", sid });
    const answer = await this.#send(member, { method: "POST", path: "/auth/logout", token });
    this.#noteOutcome(killer, answer, 204);
  }

  /** `path`: below the user's; null to delete him. */
  async change(
    member: Member,
    { user, path, kind }: { user: string; path: string | null; kind: "deactivation" | "sign-out" },
  ): Promise<void> {
    const token = await this.#signIns.administratorAt(member);
    const killer = this.#noteKiller(user, { kind });
    const answer = await this.#send(member, {
      method: path === null ? "DELETE" : "POST",
      path: path === null ? `/users/${user}` : `/users/${user}/${path}`,
      token,
    });
    this.#noteOutcome(killer, answer, answer.status === 200 ? 200 : 202);
  }

  async reactivate(member: Member, user: string): Promise<void> {
    const token = await this.#signIns.administratorAt(member);
    const reactivation = { user, sentAtMs: this.#world.nowMs, ackAtMs: Infinity, eventId: null };
    this.#world.history.reactivations.push(reactivation);
    const answer = await this.#send(member, { method: "POST", path: `/users/${user}/reactivate`, token });
    if (answer.status < 500) reactivation.ackAtMs = this.#world.nowMs;
  }

  async revokeToken(member: Member, random: Random): Promise<void> {
    const { tokens } = this.#world.history;
    if (tokens.length === 0) return;
    const { jti, user } = random.pick(tokens);
    const token = await this.#signIns.administratorAt(member);
    const killer = this.#noteKiller(user, { kind: "token", jti });
    const answer = await this.#send(member, { method: "POST", path: `/tokens/${jti}/revoke`, token });
    this.#noteOutcome(killer, answer, 202);
  }

  async readReceipt(member: Member, eventId: string): Promise<void> {
    const token = await this.#signIns.administratorAt(member);
    this.#look(await this.#send(member, { method: "GET", path: `/revocations/${eventId}`, token }));
  }

  #send(member: Member, request: Request): Promise<Answer> {
    return sendRequest(this.#world, { member, request });
  }

  #look({ status, body }: Answer): void {
    const { event_id: eventId, applied_at: appliedAt } = body;
    if (status >= 300 || typeof eventId !== "string" || typeof appliedAt !== "string") return;
    this.#world.history.showApplied(eventId, Date.parse(appliedAt));
  }

  #noteKiller(user: string, by: Killer["by"]): Killer {
    const killer = { user, by, sentAtMs: this.#world.nowMs, ackAtMs: null, eventId: null };
    this.#world.history.killers.push(killer);
    this.#world.trace(`${by.kind} of user ${user} is asked for`);
    return killer;
  }

  #noteOutcome(killer: Killer, answer: Answer, accepted: number): void {
    const { history, nowMs } = this.#world;
    const { status, body } = answer;
    const eventId = body["event_id"];
    const isAnothers = history.killers.some(
      (other) =>
        other !== killer &&
        other.eventId === eventId &&
        (other.by.kind === "deactivation" || other.by.kind === "upstream"),
    );
    this.#world.trace(
      `${killer.by.kind} of user ${killer.user}: ${status} ${String(eventId ?? body["type"])}`,
    );
    if (status === accepted && !(isAnothers && killer.by.kind === "deactivation")) {
      killer.ackAtMs = nowMs;
      if (typeof eventId === "string") killer.eventId = eventId;
      this.#look(answer);
      this.onAccepted(killer);
    } else if (status < 500 || refusedBeforeAnything.has(body["type"])) {
      killer.ackAtMs = Infinity;
    }
  }
}
