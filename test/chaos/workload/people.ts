import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Random } from "../../support/random.ts";
import type { Outcome } from "../log-entry.ts";
import type { Recorder } from "../recorder.ts";
import { type ApiCall, type ApiClient, slugOf, type TimedAnswer } from "./api-client.ts";
import type { TokenPool } from "./token-pool.ts";

export interface Person {
  readonly id: string;
  readonly email: string;
}

export interface IssuedToken {
  readonly jti: string;
  readonly token: string;
}

export interface PeopleDeps {
  readonly apis: readonly ApiClient[];
  readonly administrator: { readonly email: string; readonly password: string };
  readonly recorder: Recorder;
  readonly random: Random;
  readonly pool: TokenPool;
  /** No attempt is begun once it is aborted. */
  readonly signal: AbortSignal;
}

const password = "a perfectly fine password";
const retryAfterMs = 300;

/** Gives up on what never gets an answer; the story ends there. */
export class GaveUp extends Error {
  override name = "GaveUp";
}

/** Signs up, signs in and administers, on whichever instance answers. */
export function createPeople(deps: PeopleDeps) {
  const { apis, administrator, recorder, random, pool, signal } = deps;
  let count = 0;
  let adminToken = "";

  /** Repeats on other instances until `isDone`; each attempt is shown to `onAttempt`. */
  async function persist(
    attempt: (api: ApiClient) => Promise<TimedAnswer>,
    isDone: (answer: TimedAnswer) => boolean,
    withinMs = 60_000,
  ): Promise<TimedAnswer> {
    const giveUpAt = performance.now() + withinMs;
    while (!signal.aborted && performance.now() < giveUpAt) {
      const answer = await attempt(random.pick(apis));
      if (isDone(answer)) return answer;
      await delay(retryAfterMs);
    }
    throw new GaveUp();
  }

  async function signIn(person: Person, isHot = true): Promise<IssuedToken> {
    const answer = await persist(
      (api) => tryToSignIn(person, api, isHot),
      ({ status }) => status === 200,
    );
    return issued(answer);
  }

  async function tryToSignIn(person: Person, api: ApiClient, isHot = true): Promise<TimedAnswer> {
    const answer = await api.call("/auth/login", { body: { email: person.email, password } });
    if (answer.status !== 200) return answer;
    const { jti, token } = issued(answer);
    const { sent, done } = answer;
    recorder.note({ op: "mint", sent, done, token: jti, user: person.id, instance: api.name });
    pool.add({ jti, token, isHot });
    return answer;
  }

  return {
    /** As the administrator; a token of his that nobody takes any more is replaced. */
    async admin(path: string, call: ApiCall = {}, api = random.pick(apis)): Promise<TimedAnswer> {
      if (adminToken !== "") {
        const answer = await api.call(path, { ...call, token: adminToken });
        if (answer.status !== 401) return answer;
      }
      const signedIn = await api.call("/auth/login", { body: administrator });
      if (signedIn.status !== 200) return signedIn;
      adminToken = issued(signedIn).token;
      return api.call(path, { ...call, token: adminToken });
    },
    persist,
    signIn,
    tryToSignIn,
    async signUp(): Promise<Person> {
      let email = "";
      const answer = await persist(
        (api) => {
          email = `chaos-${(count += 1)}@example.com`;
          return this.admin("/users", { body: { email, password } }, api);
        },
        ({ status }) => status === 201,
      );
      return { id: String(answer.body["id"]), email };
    },
  };
}

export type People = ReturnType<typeof createPeople>;

/** Refused before anything was looked at, or for good; what else failed may take effect at any later time. */
export function outcomeOf(answer: TimedAnswer): Outcome {
  if (answer.status >= 200 && answer.status < 300) return "accepted";
  const slug = slugOf(answer) ?? "";
  const isUntouched = ["replica-stale", "replica-cold", "shutting-down"].includes(slug);
  return isUntouched || (answer.status >= 400 && answer.status < 500) ? "refused" : "unknown";
}

const grantSchema = z.object({ access_token: z.string() });
const payloadSchema = z.object({ jti: z.string() });

function issued(answer: TimedAnswer): IssuedToken {
  const token = grantSchema.parse(answer.body).access_token;
  const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return { token, jti: payloadSchema.parse(payload).jti };
}
