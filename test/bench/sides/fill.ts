import { createPlatform } from "../../../shared/platform.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { uuidOf } from "./names.ts";
import { issuer, minutes, subjectName } from "./revocations.ts";
import { openRedis, openStore, type StorePlace } from "./store.ts";

const atOnce = 4_000;
const { clock } = createPlatform();

/** Spread over the minutes of the hour that follows. */
function createExpiryOf() {
  const nowSeconds = Math.floor(clock.wallMs() / 1_000);
  return (token: number) => nowSeconds + 600 + (token % minutes) * 60;
}

type AdditionAt = (number: number) => Addition;

/** As the worker writes them. */
async function addToStore(place: StorePlace, entries: number, additionAt: AdditionAt): Promise<void> {
  const store = await openStore(place);
  for (let from = 0; from < entries; from += atOnce) {
    const count = Math.min(atOnce, entries - from);
    await store.add(Array.from({ length: count }, (_, at) => additionAt(from + at)));
  }
  await store.close();
}

async function setKeys(
  { redisUrl }: StorePlace,
  entries: number,
  keyAt: (number: number) => string,
): Promise<void> {
  const redis = openRedis(redisUrl);
  const expiryOf = createExpiryOf();
  for (let from = 0; from < entries; from += atOnce) {
    const pipeline = redis.pipeline();
    for (let number = from; number < Math.min(entries, from + atOnce); number += 1)
      pipeline.set(keyAt(number), "1", "EXAT", expiryOf(number));
    await pipeline.exec();
  }
  redis.disconnect();
}

const fingerprint = createFingerprinter(issuer);

export function fillStore(place: StorePlace, entries: number): Promise<void> {
  const expiryOf = createExpiryOf();
  return addToStore(place, entries, (number) => ({
    kind: "token",
    token: fingerprint(issuer, uuidOf(number)),
    exp: expiryOf(number),
  }));
}

/** A key for each. */
export function fillKeys(place: StorePlace, entries: number): Promise<void> {
  return setKeys(place, entries, (number) => `${place.namespace}:revoked:${uuidOf(number)}`);
}

/** All tokens of so many users. */
export function cutOffInStore(place: StorePlace, users: number): Promise<void> {
  const expiryOf = createExpiryOf();
  return addToStore(place, users, (number) => ({
    kind: "cut-off",
    subject: fingerprint(issuer, subjectName(number)),
    epoch: 1,
    notBefore: 0,
    until: expiryOf(number),
  }));
}

export function cutOffByKeys(place: StorePlace, users: number): Promise<void> {
  return setKeys(place, users, (number) => `${place.namespace}:cut-off:${subjectName(number)}`);
}
