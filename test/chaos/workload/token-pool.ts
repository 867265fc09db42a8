import type { Random } from "../../support/random.ts";

export interface PooledToken {
  readonly jti: string;
  readonly token: string;
  /** Something happens to it soon. */
  readonly isHot: boolean;
}

export interface TokenPool {
  add(token: PooledToken): void;
  /** Mostly one of those to which something happens now. */
  pick(): PooledToken | undefined;
  all(): readonly PooledToken[];
}

const hotCount = 60;

export function createTokenPool(random: Random): TokenPool {
  const hot: PooledToken[] = [];
  const calm: PooledToken[] = [];
  const all: PooledToken[] = [];
  return {
    add(token) {
      all.push(token);
      (token.isHot ? hot : calm).push(token);
      if (hot.length > hotCount) hot.shift();
    },
    pick() {
      const dice = random.fraction();
      const from = dice < 0.5 ? hot : dice < 0.8 ? calm : all;
      return from.length === 0 ? all[0] : random.pick(from);
    },
    all: () => all,
  };
}
