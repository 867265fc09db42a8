import { createPlatform } from "../../../shared/platform.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { additionsInACall } from "../../../workers/coalesced-ports.ts";
import type { Repetition } from "../contest.ts";
import { uuidOf } from "./names.ts";
import { createEmptyBlacklist, issuer } from "./revocations.ts";
import { openRedis, openStore, type StorePlace } from "./store.ts";

export interface MassParams extends StorePlace {
  readonly users: number;
  readonly tokensOfAUser: number;
}

const lifetimeSeconds = 3_600;
const { clock } = createPlatform();
const fingerprint = createFingerprinter(issuer);
const nowSeconds = () => Math.floor(clock.wallMs() / 1_000);

/** Users by number, of one turn: names that no other turn has, and nothing that fills a store. */
const subjectAt = (turn: number, user: number) => uuidOf(0x4000_0000 + turn * 100_000 + user);
const tokenAt = (turn: number, at: number) => uuidOf(0x2000_0000 + turn * 1_000_000 + at);

interface Some {
  readonly turn: number;
  readonly from: number;
  readonly users: number;
  readonly tokensOfAUser: number;
}

type AdditionsOf = (some: Some) => Addition[];

const cutOffsOf: AdditionsOf = ({ turn, from, users }) =>
  Array.from({ length: users }, (_, user) => ({
    kind: "cut-off",
    subject: fingerprint(issuer, subjectAt(turn, from + user)),
    epoch: 1,
    notBefore: 0,
    until: nowSeconds() + lifetimeSeconds,
  }));

const tokensOf: AdditionsOf = (some) =>
  tokenNames(some).map((jti) => ({
    kind: "token",
    token: fingerprint(issuer, jti),
    exp: nowSeconds() + lifetimeSeconds,
  }));

function tokenNames({ turn, from, users, tokensOfAUser }: Some): string[] {
  return Array.from({ length: users * tokensOfAUser }, (_, at) => tokenAt(turn, from * tokensOfAUser + at));
}

/**
 * Revokes for the users of one turn, whose names are made beforehand. Right before, it does so for some others: what
 * the connection, the script and the processor's caches have to wake up for is none of the result.
 */
async function revoke<T>(
  turn: number,
  { users, tokensOfAUser }: MassParams,
  { namesOf, run }: { namesOf: (some: Some) => T; run: (names: T) => Promise<void> },
): Promise<number> {
  const names = namesOf({ turn, from: 0, users, tokensOfAUser });
  await run(namesOf({ turn, from: users, users: Math.ceil(users / 10), tokensOfAUser }));
  const startedAt = performance.now();
  await run(names);
  return ((performance.now() - startedAt) * 1e3) / users;
}

const answerOf = (revoked: number, { users }: MassParams) =>
  revoked === users ? "everybody" : `${revoked} of ${users}`;

async function prepareStore(params: MassParams, additionsOf: AdditionsOf) {
  const store = await openStore(params);
  let turn = 0;
  return async (): Promise<Repetition> => {
    const value = await revoke(turn, params, {
      namesOf: additionsOf,
      async run(additions) {
        for (let from = 0; from < additions.length; from += additionsInACall)
          await store.add(additions.slice(from, from + additionsInACall));
      },
    });
    const answers = answerOf(await countUsers(turn), params);
    turn += 1;
    return { value, answers };
  };

  /** Of how many users a token is refused by an instance that loads now. */
  async function countUsers(of: number): Promise<number> {
    const blacklist = createEmptyBlacklist(clock);
    for await (const chunk of store.load()) blacklist.apply(chunk);
    let revoked = 0;
    for (let user = 0; user < params.users; user += 1) {
      const jti = tokenAt(of, user * params.tokensOfAUser);
      const exp = nowSeconds() + lifetimeSeconds;
      const isRevoked = [exp, exp - 60].some(
        (one) =>
          blacklist.isRevoked({ iss: issuer, sub: subjectAt(of, user), jti, iat: 0, exp: one, epoch: 0 }) !==
          null,
      );
      if (isRevoked) revoked += 1;
    }
    return revoked;
  }
}

export const sides = {
  cutOffs: (params: MassParams) => prepareStore(params, cutOffsOf),
  tokens: (params: MassParams) => prepareStore(params, tokensOf),

  /** One key for each token, each command awaited before the next. */
  async oneByOne(params: MassParams) {
    const redis = openRedis(params.redisUrl);
    const keyOf = (token: string) => `${params.namespace}:revoked:${token}`;
    let turn = 0;
    return async (): Promise<Repetition> => {
      const value = await revoke(turn, params, {
        namesOf: (some) => tokenNames(some).map(keyOf),
        async run(keys) {
          for (const key of keys) await redis.set(key, "1", "EX", lifetimeSeconds);
        },
      });
      let revoked = 0;
      for (let user = 0; user < params.users; user += 1)
        revoked += await redis.exists(keyOf(tokenAt(turn, user * params.tokensOfAUser)));
      turn += 1;
      return { value, answers: answerOf(revoked, params) };
    };
  },
};
