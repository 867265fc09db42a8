import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { createFingerprintHash, hashKeyBytes } from "../../../api/blacklist/fingerprint-hash.ts";
import { FingerprintTable } from "../../../api/blacklist/fingerprint-table.ts";
import {
  createFingerprintWords,
  readFingerprint,
  readUuid,
} from "../../../api/blacklist/fingerprint-words.ts";
import { createFingerprinter, parseFingerprint } from "../../../shared/revocation/fingerprint.ts";
import { createRandom } from "../../support/random.ts";

const uuid = "01234567-89ab-4cde-8f01-23456789abcd";

function wordsOf(text: string): Uint32Array {
  const words = createFingerprintWords();
  readFingerprint(parseFingerprint(createHash("sha256").update(text).digest("hex").slice(0, 32)), words);
  return words;
}

const random = createRandom("tables");
const hashOf = createFingerprintHash(random.bytes(hashKeyBytes));
const randomKey = () => new Uint32Array(random.bytes(16).slice().buffer);

describe("fingerprint words", () => {
  it("are the same for a UUID of our own and for its fingerprint", () => {
    const fromUuid = createFingerprintWords();
    const fromFingerprint = createFingerprintWords();

    expect(readUuid(uuid, fromUuid)).to.equal(true);
    readFingerprint(createFingerprinter("us")("us", uuid), fromFingerprint);

    expect([...fromUuid]).to.deep.equal([0x01234567, 0x89ab4cde, 0x8f012345, 0x6789abcd]);
    expect(fromUuid).to.deep.equal(fromFingerprint);
  });

  const notCanonical: Record<string, string> = {
    "an upper-case digit": uuid.toUpperCase(),
    "no hyphens": uuid.replaceAll("-", ""),
    "a digit where a hyphen belongs": uuid.replace("-", "0"),
    "a hyphen where a digit belongs": `${uuid.slice(0, 30)}-${uuid.slice(31)}`,
    "a letter past f": `g${uuid.slice(1)}`,
    "a digit of another script": `${uuid.slice(0, 35)}٣`,
    "a trailing blank": `${uuid} `,
    nothing: "",
  };
  for (const [what, text] of Object.entries(notCanonical)) {
    it(`are not read from a name with ${what}`, () => {
      expect(readUuid(text, createFingerprintWords())).to.equal(false);
    });
  }
});

describe("fingerprint table", () => {
  it("has what was added while it grows, at each moment, and nothing else", () => {
    const table = new FingerprintTable(hashOf);
    const keys = Array.from({ length: 5_000 }, (_, at) => wordsOf(`in ${at}`));
    for (const [at, key] of keys.entries()) {
      table.add(key);
      const earlier = [0, at >> 1, at - 1, at].map((one) => keys[one] ?? key);
      expect(earlier.filter((one) => !table.has(one))).to.deep.equal([]);
    }

    const missing = keys.filter((key) => !table.has(key));
    const surplus = keys.filter((_, at) => table.has(wordsOf(`out ${at}`)));
    expect([missing, surplus, table.size]).to.deep.equal([[], [], 5_000]);
  });

  it("has moved all of its keys before it grows again", () => {
    const table = new FingerprintTable(hashOf);
    let pieces = table.pieces;
    let growths = 0;
    for (let keys = 0; keys < 20_000; keys += 1) {
      table.add(randomKey());
      if (table.pieces[0] !== pieces[0]) {
        growths += 1;
        expect(pieces, `before the growth at ${table.size} keys`).to.have.length(1);
      }
      pieces = table.pieces;
    }
    expect(growths).to.be.greaterThan(15);
  });

  it("counts what is added twice once", () => {
    const table = new FingerprintTable(hashOf);
    table.add(wordsOf("a"));
    table.add(wordsOf("a"));

    expect(table.size).to.equal(1);
  });

  for (const changed of [0, 1, 2, 3]) {
    it(`tells keys apart that differ in word ${changed} only`, () => {
      const table = new FingerprintTable(hashOf);
      const key = wordsOf("a");
      table.add(key);

      for (let change = 1; change <= 20_000; change += 1) {
        const other = key.map((word, at) => (at === changed ? word ^ change : word));
        expect(table.has(other)).to.equal(false);
      }
    });
  }

  it("has the key of zeros only once it was added", () => {
    const table = new FingerprintTable(hashOf);
    const before = table.has(createFingerprintWords());
    table.add(createFingerprintWords());

    expect([before, table.has(createFingerprintWords())]).to.deep.equal([false, true]);
  });

  it("keeps the greatest numbers of each key while it grows", () => {
    const table = new FingerprintTable(hashOf, 2);
    for (let at = 0; at < 20_000; at += 1) {
      table.raise(wordsOf(`${at}`), [at, 0]);
      table.raise(wordsOf(`${at}`), [at - 1, 2 ** 40 + at]);
    }

    for (const at of [0, 17, 19_999])
      expect([0, 1].map((column) => table.value(wordsOf(`${at}`), column))).to.deep.equal([at, 2 ** 40 + at]);
    expect(table.value(wordsOf("absent"), 0)).to.equal(0);
  });

  it("is as a map of names to numbers, whatever is added in which order, with and without a hint", () => {
    const key = fc.tuple(fc.nat(3), fc.nat(50)).map(([bit, low]) => Uint32Array.of(0, 0, bit * 2 ** 31, low));
    const history = fc.array(fc.tuple(key, fc.nat(100)), { maxLength: 200 });
    fc.assert(
      fc.property(history, fc.option(fc.nat(20_000)), (steps, hint) => {
        const table = new FingerprintTable(hashOf, 1);
        if (hint !== null) table.reserve(hint);
        const map = new Map<string, number>();
        for (const [words, number] of steps) {
          table.raise(words, [number]);
          map.set(words.join(), Math.max(map.get(words.join()) ?? 0, number));
        }
        expect(table.size).to.equal(map.size);
        for (const [words] of steps) expect(table.value(words, 0)).to.equal(map.get(words.join()));
      }),
    );
  });

  it("takes little memory, and with a hint no more than the keys need", () => {
    const keys = Array.from({ length: 100_000 }, randomKey);
    const grown = new FingerprintTable(hashOf);
    const presized = new FingerprintTable(hashOf);
    presized.reserve(keys.length);
    for (const key of keys) {
      grown.add(key);
      presized.add(key);
    }
    expect(presized.bytes / keys.length).to.be.lessThan(20.5);
    expect(grown.bytes / keys.length).to.be.lessThan(46);
  });

  it("takes no hint once it holds something", () => {
    const table = new FingerprintTable(hashOf);
    table.add(wordsOf("a"));
    table.reserve(1_000_000);

    expect(table.has(wordsOf("a"))).to.equal(true);
    expect(table.bytes).to.be.lessThan(1_000);
  });
});

describe("fingerprint hash", () => {
  /** Of so many hashes' first ten bits about 65 % of 1,024 differ, if they are as good as random. */
  const spread = (keys: readonly Uint32Array[], hash = hashOf) =>
    new Set(keys.map((key) => hash(key) >>> 22)).size;

  it("scatters keys in another process that were chosen to lie together in one", () => {
    const other = createFingerprintHash(random.bytes(hashKeyBytes));
    const chosen: Uint32Array[] = [];
    while (chosen.length < 1_024) {
      const key = randomKey();
      if (hashOf(key) >>> 26 === 0) chosen.push(key);
    }
    expect(spread(chosen)).to.be.at.most(16);
    expect(spread(chosen, other)).to.be.within(570, 730);
  });

  const alike: Record<string, (n: number) => Uint32Array> = {
    "that count in their last word": (n) => Uint32Array.of(7, 7, 7, n),
    "that differ in their highest bits": (n) => Uint32Array.of(n << 22, 0, 0, 0),
    "whose words are all the same": (n) => Uint32Array.of(n, n, n, n),
    "of which two words cancel each other out": (n) => Uint32Array.of(n << 22, n << 22, 1, 2),
  };
  for (const [which, keyOf] of Object.entries(alike)) {
    it(`scatters keys ${which}`, () => {
      expect(spread(Array.from({ length: 1_024 }, (_, n) => keyOf(n)))).to.be.within(500, 1_024);
    });
  }

  it("wants a key of its length", () => {
    expect(() => createFingerprintHash(new Uint8Array(32))).to.throw(RangeError);
  });
});
