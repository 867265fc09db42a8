/** Chance that repeats: the same seed draws the same numbers, whatever the machine. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number;
  chance(probability: number): boolean;
  /** Throws a `RangeError` on an empty list. */
  pick<T>(list: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
  bytes(length: number): Uint8Array;
  /** A stream of its own: what is drawn from it moves no other. */
  fork(name: string): Random;
}

/** Small fast counting generator with 128 bits of state (sfc32, C. Doty-Humphrey, PractRand). */
export function createRandom(seed: string): Random {
  let [a, b, c, counter] = stateOf(seed);

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  }
  const fraction = () => next() / 2 ** 32;
  const integer = (least: number, most: number) => least + Math.floor(fraction() * (most - least + 1));

  for (let turn = 0; turn < 12; turn += 1) next();
  return {
    fraction,
    integer,
    chance: (probability) => fraction() < probability,
    pick(list) {
      const one = list[integer(0, list.length - 1)];
      if (one === undefined) throw new RangeError("nothing to pick from");
      return one;
    },
    shuffled: (list) =>
      list
        .map((item) => ({ item, key: fraction() }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ item }) => item),
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
    fork: (name) => createRandom(`${seed}/${name}`),
  };
}

/** Four words of a hash of the text (FNV-1a with four offsets). */
function stateOf(seed: string): [number, number, number, number] {
  const word = (offset: number) => {
    let hash = 0x811c9dc5 ^ offset;
    for (let at = 0; at < seed.length; at += 1) hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193);
    return hash | 0;
  };
  return [word(0), word(0x9e3779b9), word(0x85ebca6b), 1];
}

export function uuidFrom(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
