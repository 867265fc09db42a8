import { randomUUID } from "node:crypto";
import { IncomingMessage, type RequestListener, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { Router } from "@koa/router";
import { createGuards, createPipeline } from "../../../api/app.ts";
import { createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { startBlacklistFeed } from "../../../api/blacklist/blacklist-feed.ts";
import type { RequestState } from "../../../api/request-state.ts";
import { createVerifyOnce } from "../../../api/tokens/verify-once.ts";
import { createVerifyToken } from "../../../api/tokens/verify-token.ts";
import { createInProcessStoreServer } from "../../../shared/in-process/revocation-store.ts";
import { createLog } from "../../../shared/log.ts";
import { createMetrics } from "../../../shared/metrics.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { createTokenForge, type TokenForge } from "../../support/token-forge.ts";
import type { Repetition } from "../contest.ts";
import { refusals } from "./refusal-tokens.ts";
import { makeValid } from "./store.ts";

export interface RefusalParams {
  /** One of the refusals. */
  readonly refusal: string;
  readonly count: number;
}

const issuer = "https://issuer.test";
const audience = "quash";
/** A busy machine must not make a refusal of what is accepted. */
const maxStalenessMs = 600_000;

export const sides = {
  async accepting({ count }: RefusalParams) {
    const { forge, handle } = await createProduct();
    return asking(handle, {
      authorization: `Bearer ${forge.good()}`,
      count,
      isExpected: (status) => status === 200,
    });
  },

  async refusing({ refusal, count }: RefusalParams) {
    const { forge, handle } = await createProduct();
    const authorization = refusals[refusal]?.(forge);
    return asking(handle, { authorization, count, isExpected: (status) => status === 400 || status === 401 });
  },
};

/** An instance's way of a request, without what remembers that a token was verified; log and metrics included. */
async function createProduct(): Promise<{ forge: TokenForge; handle: RequestListener }> {
  const platform = createPlatform();
  const { clock } = platform;
  const forge = await createTokenForge({ issuer, audience });
  const log = createLog({ level: "info", name: "api", destination: { write: () => undefined } });
  const blacklist = createBlacklist({
    ...platform,
    fingerprint: createFingerprinter(issuer),
    ownIssuer: issuer,
  });
  const store = createInProcessStoreServer(platform).connect();
  await makeValid(store, maxStalenessMs);
  const feed = await startBlacklistFeed({
    ...platform,
    store,
    blacklist,
    instanceId: randomUUID(),
    log,
    syncIntervalMs: 1_000,
    syncDeadlineMs: 1_000,
    maxStalenessMs,
    tokenLifetimeSeconds: 900,
    policy: "strict",
  });
  // The timers of an instance keep no process alive.
  const wakeful = setInterval(() => undefined, 100);
  await feed.whenAccepting();
  clearInterval(wakeful);
  const metrics = createMetrics({ withProcessMetrics: false, of: "api" });
  const clockToleranceSeconds = 5;
  const verifyToken = createVerifyToken({
    keys: forge.keySet,
    issuer,
    audience,
    clock,
    clockToleranceSeconds,
  });
  const cache = { maxEntries: 0, maxBytes: 0 };
  const tokens = createVerifyOnce({ verifyToken, blacklist, clock, clockToleranceSeconds, cache });
  const router = new Router<RequestState>({ sensitive: true, strict: true });
  router.get(
    "/resource",
    ...createGuards({ clock, feed, tokens, blacklist, metrics, noteRefusal: () => undefined }).bearer,
    (ctx) => {
      ctx.body = { id: "0b6f2f2e-5b0c-4e63-9d52-3f7f3c9d0a11", roles: ["user"], instance: "bench" };
    },
  );
  const answer = createPipeline(router, { ...platform, log, metrics, isDraining: () => false }).callback();
  return { forge, handle: (request, response) => void answer(request, response) };
}

function asking(
  handle: RequestListener,
  {
    authorization,
    count,
    isExpected,
  }: { authorization: string | undefined; count: number; isExpected: (status: number) => boolean },
) {
  return async (): Promise<Repetition> => {
    let expected = 0;
    const before = process.cpuUsage();
    for (let call = 0; call < count; call += 1)
      if (isExpected(await ask(handle, authorization))) expected += 1;
    const { user, system } = process.cpuUsage(before);
    return { value: (user + system) / count, answers: `${expected} of ${count} as expected` };
  };
}

/** One request without a network: what is measured is what the API does with it. */
async function ask(handle: RequestListener, authorization: string | undefined): Promise<number> {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, {
    method: "GET",
    url: "/resource",
    httpVersion: "1.1",
    httpVersionMajor: 1,
    httpVersionMinor: 1,
  });
  request.rawHeaders = [
    "Host",
    "bench",
    ...(authorization === undefined ? [] : ["Authorization", authorization]),
  ];
  request.headers = { host: "bench", ...(authorization !== undefined && { authorization }) };
  const response = new ServerResponse(request);
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  // As far as an answer needs one.
  response.assignSocket(sink as Socket);
  return new Promise((resolve) => {
    response.once("finish", () => resolve(response.statusCode));
    handle(request, response);
  });
}
