import { createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import jwt from "jsonwebtoken";
import { type Blacklist, createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { type BlacklistFeed, startBlacklistFeed } from "../../../api/blacklist/blacklist-feed.ts";
import { generateJwks } from "../../../api/keys/generate-jwks.ts";
import { type KeySet, parseKeys } from "../../../api/tokens/keys.ts";
import { createVerifyOnce, type VerifyOnce } from "../../../api/tokens/verify-once.ts";
import { createVerifyToken } from "../../../api/tokens/verify-token.ts";
import { createInProcessStoreServer } from "../../../shared/in-process/revocation-store.ts";
import { createLog, type Log } from "../../../shared/log.ts";
import { createMetrics, type Metrics } from "../../../shared/metrics.ts";
import { createPlatform } from "../../../shared/platform.ts";
import type { Clock, Platform } from "../../../shared/ports/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { noAdditions } from "../../../shared/revocation/packed-additions.ts";
import { tokenBucketOf, tokenBucketSeconds } from "../../../shared/revocation/retention.ts";
import { uuidOf } from "./names.ts";
import { cutOff, issuer, packTokens } from "./revocations.ts";
import { makeValid, openRedis } from "./store.ts";

const audience = "quash";
const signedIn = 1_000;
const recordsAtOnce = 4_096;
const lifetimeSeconds = 900;
/** And some more, for what is minted while the rest is made ready. */
const minutesOfExpiry = lifetimeSeconds / tokenBucketSeconds + 5;

/** The parts of an API instance that stand in the way of a request, with so many revocations; and tokens. */
export interface Product extends Platform {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly blacklist: Blacklist;
  readonly feed: BlacklistFeed;
  readonly tokens: VerifyOnce;
  readonly isDraining: () => boolean;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly minted: { readonly tokens: readonly string[]; readonly revokedToken: string };
}

export async function createProduct({
  entries,
  redisUrl,
  namespace,
}: {
  entries: number;
  redisUrl: string;
  namespace: string;
}): Promise<Product> {
  const platform = createPlatform();
  const log = createLog({ level: "info", name: "api" });
  const metrics = createMetrics({ withProcessMetrics: true, of: "api" });
  const keys = await parseKeys(await generateJwks("RS256"));
  const { clock } = platform;
  const blacklist = createBlacklist({
    ...platform,
    fingerprint: createFingerprinter(issuer),
    ownIssuer: issuer,
    tokenLifetimeSeconds: lifetimeSeconds,
  });
  const expiryOf = createExpiryOf(clock);
  fill(blacklist, entries, expiryOf);
  const revoked = mint(keys);
  const token = createFingerprinter(issuer)(issuer, revoked.jti);
  const expiry = Buffer.alloc(4);
  expiry.writeUInt32BE(revoked.exp);
  blacklist.apply({ ...noAdditions, tokens: Buffer.concat([Buffer.from(token, "hex"), expiry]) });
  const redis = openRedis(redisUrl);
  await redis.set(`${namespace}:revoked:${revoked.jti}`, "1", "EX", lifetimeSeconds);
  redis.disconnect();
  const store = createInProcessStoreServer(platform).connect();
  await makeValid(store);
  const feed = await startBlacklistFeed({
    ...platform,
    store,
    blacklist,
    instanceId: randomUUID(),
    log: log.child({}),
    syncIntervalMs: 1_000,
    syncDeadlineMs: 1_000,
    maxStalenessMs: 5_000,
    tokenLifetimeSeconds: lifetimeSeconds,
    policy: "strict",
  });
  await feed.whenAccepting();
  const minted = Array.from({ length: signedIn }, () => mint(keys));
  for (const { exp } of minted) requirePopulated(blacklist, exp, expiryOf);
  const verifyToken = createVerifyToken({ keys, issuer, audience, clock, clockToleranceSeconds: 5 });
  const publicKey = createPublicKey(keys.signing.key);
  return {
    ...platform,
    log,
    metrics,
    blacklist,
    feed,
    tokens: createVerifyOnce({
      verifyToken,
      blacklist,
      clock,
      clockToleranceSeconds: 5,
      cache: { maxEntries: 50_000, maxBytes: 64 * 1024 * 1024 },
    }),
    isDraining: () => false,
    issuer,
    publicKey,
    minted: { tokens: minted.map(({ token }) => token), revokedToken: revoked.token },
  };
}

type ExpiryOf = (number: number) => number;

/** Of revoked tokens by number: in every minute in which a token of today may expire. */
function createExpiryOf(clock: Clock): ExpiryOf {
  const nowSeconds = Math.floor(clock.wallMs() / 1_000);
  return (number) => nowSeconds + (number % minutesOfExpiry) * tokenBucketSeconds;
}

/** With a cut-off for every ten tokens. */
function fill(blacklist: Blacklist, entries: number, expiryOf: ExpiryOf): void {
  for (let from = 0; from < entries; from += recordsAtOnce) {
    const tokens = packTokens(Math.min(recordsAtOnce, entries - from), (at) => from + at, expiryOf);
    blacklist.apply({ ...noAdditions, tokens });
  }
  cutOff(blacklist, entries / 10, expiryOf);
}

/** A token that expires in a minute of which nothing is revoked would be looked for in no table at all. */
function requirePopulated(blacklist: Blacklist, exp: number, expiryOf: ExpiryOf): void {
  const bucket = tokenBucketOf(exp);
  for (let number = 0; number < minutesOfExpiry; number += 1) {
    if (tokenBucketOf(expiryOf(number)) !== bucket) continue;
    const claims = { iss: issuer, sub: randomUUID(), jti: uuidOf(number), iat: 0, exp, epoch: 1 };
    if (blacklist.isRevoked(claims) === "token-revoked") return;
  }
  throw new Error("no revoked token expires in the same minute as one that is asked for");
}

function mint({ signing: { kid, alg, key } }: KeySet) {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: issuer,
    aud: audience,
    sub: randomUUID(),
    client_id: "quash",
    iat,
    exp: iat + lifetimeSeconds,
    jti: randomUUID(),
    sid: uuidOf(iat),
    epoch: 1,
    roles: ["user"],
  };
  const token = jwt.sign(claims, key, { algorithm: alg, header: { alg, typ: "at+jwt", kid } });
  return { token, jti: claims.jti, exp: claims.exp };
}
