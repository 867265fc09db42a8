import type { Random } from "../support/random.ts";
import type { Answer } from "./inject.ts";
import type { Member } from "./member.ts";
import { administrator, emailOf, passwordOfAll } from "./people.ts";
import { type RequestOptions, sendRequest } from "./request.ts";
import type { World } from "./world.ts";

interface HeldSession {
  readonly user: string;
  readonly signInSentAtMs: number;
  readonly signedInAtMs: number;
  readonly refreshToken: string;
}

/** Users who sign in and refresh, and what they got. */
export class SignIns {
  readonly #world: World;
  /** By session id. One whose refresh got no answer is given up. */
  readonly #sessions = new Map<string, HeldSession>();
  #adminToken: { readonly text: string; readonly untilMs: number } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  async signIn(member: Member, user: string, options: RequestOptions = {}): Promise<void> {
    const signInSentAtMs = this.#world.nowMs;
    const body = { email: emailOf(user), password: passwordOfAll };
    const answer = await this.#post(member, { path: "/auth/login", body }, options);
    if (answer.status === 200) {
      this.#hold(answer, { user, signInSentAtMs, signedInAtMs: this.#world.nowMs });
    }
  }

  /** `user`: rather than of anybody. */
  async refresh(member: Member, random: Random, user?: string): Promise<void> {
    const sessions = [...this.#sessions].filter(([, session]) =>
      user === undefined ? session.user !== this.#world.quietUserId : session.user === user,
    );
    if (sessions.length === 0) return;
    const [sid, session] = random.pick(sessions);
    // Not there meanwhile: a refresh token is sent once.
    this.#sessions.delete(sid);
    const body = { refresh_token: session.refreshToken };
    const answer = await this.#post(member, { path: "/auth/refresh", body });
    if (answer.status === 200) this.#hold(answer, session);
  }

  async administratorAt(member: Member): Promise<string> {
    const { nowMs, plan } = this.#world;
    if (this.#adminToken !== undefined && nowMs < this.#adminToken.untilMs) return this.#adminToken.text;
    const answer = await this.#post(member, { path: "/auth/login", body: administrator });
    if (answer.status !== 200) throw new Error("the administrator cannot sign in");
    const lifetimeMs = plan.conditions.tokenLifetimeSeconds * 1_000;
    this.#adminToken = { text: String(answer.body["access_token"]), untilMs: nowMs + lifetimeMs / 2 };
    return this.#adminToken.text;
  }

  #post(
    member: Member,
    { path, body }: { path: string; body: unknown },
    options: RequestOptions = {},
  ): Promise<Answer> {
    return sendRequest(this.#world, { member, request: { method: "POST", path, body }, ...options });
  }

  #hold({ body }: Answer, session: Omit<HeldSession, "refreshToken">): void {
    const { history, records, nowMs } = this.#world;
    const accessToken = String(body["access_token"]);
    const { jti } = claimsOf(accessToken);
    const record = records.get(jti);
    if (record === undefined) {
      history.violate("I10", nowMs, `token ${jti} left its process before it was recorded`);
      return;
    }
    const { sid, issuedAtMs, expiresAtMs } = record;
    const { user, signInSentAtMs, signedInAtMs } = session;
    history.tokens.push({
      jti,
      user,
      sid,
      accessToken,
      signInSentAtMs,
      signedInAtMs,
      receivedAtMs: nowMs,
      issuedAtMs,
      expiresAtMs,
    });
    const refreshToken = String(body["refresh_token"]);
    this.#sessions.set(sid, { user, signInSentAtMs, signedInAtMs, refreshToken });
    this.#world.trace(`token ${jti} of user ${user}`);
  }
}

function claimsOf(accessToken: string): { readonly jti: string } {
  const [, payload = ""] = accessToken.split(".");
  const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
  if (typeof claims !== "object" || claims === null || !("jti" in claims)) throw new TypeError("no claims");
  return { jti: String(claims.jti) };
}
