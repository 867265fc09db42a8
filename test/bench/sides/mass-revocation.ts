import { createPlatform } from "../../../shared/platform.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import type { Repetition } from "../contest.ts";
import { uuidOf } from "./names.ts";
import { createEmptyBlacklist, issuer } from "./revocations.ts";
import { openRedis, openStore, type StorePlace } from "./store.ts";

export interface MassParams extends StorePlace {
  readonly users: number;
  readonly tokensOfAUser: number;
}

/** As many as the worker puts into one call. */
const additionsAtOnce = 400;
const lifetimeSeconds = 3_600;
const { clock } = createPlatform();
const fingerprint = createFingerprinter(issuer);
const nowSeconds = () => Math.floor(clock.wallMs() / 1_000);

/** Of the users of one turn: names that no other turn has. */
const subjectAt = (turn: number, user: number) => uuidOf(0x4000_0000 + turn * 100_000 + user);
const tokenAt = (turn: number, { users, tokensOfAUser }: MassParams, at: number) =>
  uuidOf(turn * users * tokensOfAUser + at);

type AdditionsOfTurn = (params: MassParams, turn: number) => Addition[];

const cutOffsOf: AdditionsOfTurn = ({ users }, turn) =>
  Array.from({ length: users }, (_, user) => ({
    kind: "cut-off",
    subject: fingerprint(issuer, subjectAt(turn, user)),
    epoch: 1,
    notBefore: 0,
    until: nowSeconds() + lifetimeSeconds,
  }));

const tokensOf: AdditionsOfTurn = (params, turn) =>
  Array.from({ length: params.users * params.tokensOfAUser }, (_, at) => ({
    kind: "token",
    token: fingerprint(issuer, tokenAt(turn, params, at)),
    exp: nowSeconds() + lifetimeSeconds,
  }));

async function prepareStore(params: MassParams, additionsOf: AdditionsOfTurn) {
  const store = await openStore(params);
  let turn = 0;
  return async (): Promise<Repetition> => {
    const additions = additionsOf(params, turn);
    const startedAt = performance.now();
    for (let from = 0; from < additions.length; from += additionsAtOnce)
      await store.add(additions.slice(from, from + additionsAtOnce));
    const tookMs = performance.now() - startedAt;
    const revoked = await countUsers(turn);
    turn += 1;
    return { value: (tookMs * 1e3) / params.users, answers: revoked };
  };

  /** Of how many users a token is refused by an instance that loads now. */
  async function countUsers(of: number): Promise<string> {
    const blacklist = createEmptyBlacklist(clock);
    for await (const chunk of store.load()) blacklist.apply(chunk);
    let revoked = 0;
    for (let user = 0; user < params.users; user += 1) {
      const jti = tokenAt(of, params, user * params.tokensOfAUser);
      const exp = nowSeconds() + lifetimeSeconds;
      const isRevoked = [exp, exp - 60].some(
        (one) =>
          blacklist.isRevoked({ iss: issuer, sub: subjectAt(of, user), jti, iat: 0, exp: one, epoch: 0 }) !==
          null,
      );
      if (isRevoked) revoked += 1;
    }
    return String(revoked);
  }
}

export const sides = {
  cutOffs: (params: MassParams) => prepareStore(params, cutOffsOf),
  tokens: (params: MassParams) => prepareStore(params, tokensOf),

  /** One key for each token, each command awaited before the next. */
  async oneByOne(params: MassParams) {
    const redis = openRedis(params.redisUrl);
    const keyOf = (turn: number, at: number) => `${params.namespace}:revoked:${tokenAt(turn, params, at)}`;
    let turn = 0;
    return async (): Promise<Repetition> => {
      const startedAt = performance.now();
      for (let at = 0; at < params.users * params.tokensOfAUser; at += 1)
        await redis.set(keyOf(turn, at), "1", "EX", lifetimeSeconds);
      const tookMs = performance.now() - startedAt;
      let revoked = 0;
      for (let user = 0; user < params.users; user += 1)
        revoked += await redis.exists(keyOf(turn, user * params.tokensOfAUser));
      turn += 1;
      return { value: (tookMs * 1e3) / params.users, answers: String(revoked) };
    };
  },
};
