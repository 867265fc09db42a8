import { createPlatform } from "../../../shared/platform.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { uuidOf } from "./names.ts";
import { issuer, minutes } from "./revocations.ts";
import { openRedis, openStore, type StorePlace } from "./store.ts";

const atOnce = 4_000;
const { clock } = createPlatform();

/** Spread over the minutes of the hour that follows. */
function createExpiryOf() {
  const nowSeconds = Math.floor(clock.wallMs() / 1_000);
  return (token: number) => nowSeconds + 600 + (token % minutes) * 60;
}

/** As the worker writes them. */
export async function fillStore(place: StorePlace, entries: number): Promise<void> {
  const store = await openStore(place);
  const fingerprint = createFingerprinter(issuer);
  const expiryOf = createExpiryOf();
  for (let from = 0; from < entries; from += atOnce) {
    const count = Math.min(atOnce, entries - from);
    const additions = Array.from({ length: count }, (_, at): Addition => {
      const token = from + at;
      return { kind: "token", token: fingerprint(issuer, uuidOf(token)), exp: expiryOf(token) };
    });
    await store.add(additions);
  }
  await store.close();
}

/** A key for each. */
export async function fillKeys({ redisUrl, namespace }: StorePlace, entries: number): Promise<void> {
  const redis = openRedis(redisUrl);
  const expiryOf = createExpiryOf();
  for (let from = 0; from < entries; from += atOnce) {
    const pipeline = redis.pipeline();
    for (let token = from; token < Math.min(entries, from + atOnce); token += 1)
      pipeline.set(`${namespace}:revoked:${uuidOf(token)}`, "1", "EXAT", expiryOf(token));
    await pipeline.exec();
  }
  redis.disconnect();
}
