import { createHash, createHmac } from "node:crypto";
import { AppError, isRetriable } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { IdempotencyStore, KeptAnswer } from "../../shared/ports/idempotency-store.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { idempotencyKeyOf } from "../idempotency/idempotency-key.ts";
import { keptAnswerOf, keptProblemOf, replay } from "../idempotency/kept-answer.ts";
import { type Context, checkAgain, claimsOf, type Middleware } from "../request-state.ts";
import { headerValues } from "./header-values.ts";
import { readBodyAhead } from "./read-body.ts";

export interface AnswerOnceDeps extends Pick<Platform, "clock" | "ids"> {
  readonly idempotency: IdempotencyStore;
  readonly log: Log;
}

const keptForMs = 24 * 3_600_000;
/** Longer than any call takes. */
const abandonedAfterMs = 60_000;

/**
 * Calls with an Idempotency-Key, each actor's keys by themselves: the first is made, and what comes again under its key
 * gets its answer, if it is the same call. A 5xx, or a call that was refused unread, leaves the key free.
 *
 * Whoever dies between doing and keeping the answer leaves the key to the first who asks a minute later. That one does
 * the same operation again, under the same ids: it finds what was done, or does what does no harm twice. The same holds
 * when one who was only paused wakes up later: his answer is not kept.
 */
export function createAnswerOnce({ idempotency, clock, ids, log }: AnswerOnceDeps): Middleware {
  return async function answerOnce(ctx, next) {
    const key = idempotencyKeyOf(ctx.req);
    if (key === undefined) {
      await next();
      return;
    }
    const body = await readBodyAhead(ctx.req);
    checkAgain(ctx);
    const id = idOf(claimsOf(ctx).sub, key);
    const holder = ids.uuid();
    const nowMs = clock.wallMs();
    const begun = await idempotency.begin({
      id,
      holder,
      fingerprint: fingerprintOf(ctx, key, body),
      nowMs,
      abandonedAtMs: nowMs - abandonedAfterMs,
      expiresAtMs: nowMs + keptForMs,
    });
    if (begun.state === "answered") {
      replay(ctx, begun.answer);
      return;
    }
    if (begun.state !== "begun") throw refusals[begun.state]();
    ctx.state.operation = { id: begun.operation, isRepeat: begun.isRepeat };
    try {
      await next();
    } catch (error) {
      await settle({ id, holder }, keptProblemOf(error));
      throw error;
    }
    await settle({ id, holder }, keptAnswerOf(ctx));
  };

  /** What was done is answered, also where that cannot be noted. */
  async function settle({ id, holder }: { id: string; holder: string }, answer: KeptAnswer | null) {
    try {
      if (answer === null) await idempotency.release(id, holder);
      else await idempotency.finish(id, holder, answer);
    } catch (err) {
      if (!isRetriable(err)) throw err;
      log.warn("idempotency.not-noted", { err });
    }
  }
}

const refusals = {
  "other-call": () =>
    new AppError(
      "idempotency-conflict",
      "This Idempotency-Key was sent with another call; choose a new one.",
    ),
  "under-way": () =>
    new AppError(
      "idempotency-in-progress",
      "The first call with this Idempotency-Key has no answer yet; wait.",
      {
        retryAfterSeconds: 1,
      },
    ),
};

function idOf(actor: string, key: string): string {
  return createHash("sha256")
    .update(JSON.stringify([actor, key]))
    .digest("base64url");
}

/**
 * Keyed by what is not stored, so that nobody can try out what a body with a password in it was. Of the headers those
 * that say what is sent: a CloudEvent in binary mode has all but its data in them.
 */
function fingerprintOf({ method, path, querystring, req }: Context, key: string, body: Uint8Array): string {
  const saying = Object.keys(req.headers).filter((name) => name === "content-type" || name.startsWith("ce-"));
  const headers = saying.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => [name, headerValues(req, name)]);
  const target = JSON.stringify([method, path, querystring, headers]);
  return createHmac("sha256", key).update(target).update(body).digest("base64url");
}
