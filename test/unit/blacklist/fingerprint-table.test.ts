import { createHash } from "node:crypto";
import { expect } from "chai";
import { describe, it } from "mocha";
import { FingerprintTable } from "../../../api/blacklist/fingerprint-table.ts";
import {
  createFingerprintWords,
  readFingerprint,
  readUuid,
} from "../../../api/blacklist/fingerprint-words.ts";
import { createFingerprinter, parseFingerprint } from "../../../shared/revocation/fingerprint.ts";

const uuid = "01234567-89ab-4cde-8f01-23456789abcd";

function wordsOf(text: string): Uint32Array {
  const words = createFingerprintWords();
  readFingerprint(parseFingerprint(createHash("sha256").update(text).digest("hex").slice(0, 32)), words);
  return words;
}

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
  it("has what was added while it grows, and nothing else", () => {
    const table = new FingerprintTable();
    for (let at = 0; at < 20_000; at += 1) table.add(wordsOf(`in ${at}`));

    const missing = Array.from({ length: 20_000 }, (_, at) => at).filter(
      (at) => !table.has(wordsOf(`in ${at}`)),
    );
    const surplus = Array.from({ length: 20_000 }, (_, at) => at).filter((at) =>
      table.has(wordsOf(`out ${at}`)),
    );

    expect([missing, surplus, table.size]).to.deep.equal([[], [], 20_000]);
  });

  it("counts what is added twice once", () => {
    const table = new FingerprintTable();

    expect(table.add(wordsOf("a"))).to.equal(table.add(wordsOf("a")));
    expect(table.size).to.equal(1);
  });

  for (const changed of [0, 1, 2, 3]) {
    it(`tells keys apart that differ in word ${changed} only`, () => {
      const table = new FingerprintTable();
      const key = wordsOf("a");
      table.add(key);

      for (let change = 1; change <= 20_000; change += 1) {
        const other = key.map((word, at) => (at === changed ? word ^ change : word));
        expect(table.has(other)).to.equal(false);
      }
    });
  }

  it("has the key of zeros only once it was added", () => {
    const table = new FingerprintTable();
    const before = table.has(createFingerprintWords());
    table.add(createFingerprintWords());

    expect([before, table.has(createFingerprintWords())]).to.deep.equal([false, true]);
  });

  it("keeps the greatest number of each key while it grows", () => {
    const table = new FingerprintTable(2);
    for (let at = 0; at < 1_000; at += 1) {
      const slot = table.add(wordsOf(`${at}`));
      table.raise(slot, 0, at);
      table.raise(slot, 0, at - 1);
      table.raise(slot, 1, 2 ** 40 + at);
    }

    const slot = table.find(wordsOf("17"));
    expect([table.value(slot, 0), table.value(slot, 1)]).to.deep.equal([17, 2 ** 40 + 17]);
  });
});
