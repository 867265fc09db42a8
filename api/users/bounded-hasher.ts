import { AppError } from "../../shared/errors.ts";
import type { PasswordHasher } from "../../shared/ports/platform.ts";

export interface HashingBound {
  readonly atOnce: number;
  /** Of those beyond; who comes later is refused. */
  readonly waiting: number;
}

/**
 * Hashing runs on libuv's threads, four unless told otherwise: one is left for files and names. Who waits longest waits
 * for about a second.
 */
const usual: HashingBound = { atOnce: 3, waiting: 96 };

/** Does so much at once, in the order of the calls. Throws `too-busy` beyond what may wait. */
export function createBoundedHasher(hasher: PasswordHasher, bound: HashingBound = usual): PasswordHasher {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= bound.atOnce) {
      if (waiting.length >= bound.waiting)
        throw new AppError("too-busy", "Too many passwords are being checked; try again shortly.");
      // Whoever is done hands his place on: `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    hash: (password) => inTurn(() => hasher.hash(password)),
    verify: (encodedHash, password) => inTurn(() => hasher.verify(encodedHash, password)),
  };
}
