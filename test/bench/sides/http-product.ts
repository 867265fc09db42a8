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
import type { Platform } from "../../../shared/ports/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { noAdditions } from "../../../shared/revocation/packed-additions.ts";
import { uuidOf } from "./names.ts";
import { issuer, packTokens } from "./revocations.ts";
import { makeValid, openRedis } from "./store.ts";

const audience = "quash";
const signedIn = 1_000;
const recordsAtOnce = 4_096;

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
  readonly publicPem: string;
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
  });
  for (let from = 0; from < entries; from += recordsAtOnce) {
    const tokens = packTokens(Math.min(recordsAtOnce, entries - from), (at) => from + at);
    blacklist.apply({ ...noAdditions, tokens });
  }
  const revoked = mint(keys);
  const token = createFingerprinter(issuer)(issuer, revoked.jti);
  const expiry = Buffer.alloc(4);
  expiry.writeUInt32BE(revoked.exp);
  blacklist.apply({ ...noAdditions, tokens: Buffer.concat([Buffer.from(token, "hex"), expiry]) });
  const redis = openRedis(redisUrl);
  await redis.set(`${namespace}:revoked:${revoked.jti}`, "1", "EX", 900);
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
    tokenLifetimeSeconds: 900,
    policy: "strict",
  });
  await feed.whenAccepting();
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
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    minted: {
      tokens: Array.from({ length: signedIn }, () => mint(keys).token),
      revokedToken: revoked.token,
    },
  };
}

function mint({ signing: { kid, alg, key } }: KeySet) {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: issuer,
    aud: audience,
    sub: randomUUID(),
    client_id: "quash",
    iat,
    exp: iat + 900,
    jti: randomUUID(),
    sid: uuidOf(iat),
    epoch: 1,
    roles: ["user"],
  };
  const token = jwt.sign(claims, key, { algorithm: alg, header: { alg, typ: "at+jwt", kid } });
  return { token, jti: claims.jti, exp: claims.exp };
}
