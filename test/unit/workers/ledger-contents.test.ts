import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { LedgerRow, MarkedToken } from "../../../shared/ports/ledger.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import {
  type LedgerContentsDeps,
  type LedgerContentsQuery,
  ledgerContents,
} from "../../../workers/pruner/ledger-contents.ts";

const issuer = "https://quash.example";
const names = { fingerprint: createFingerprinter(issuer), ownIssuer: issuer };

describe("the contents of the ledger", () => {
  let rows: LedgerRow[];
  let tokens: MarkedToken[];
  let asked: string[];
  let ledger: LedgerContentsDeps["ledger"];

  beforeEach(() => {
    rows = [];
    tokens = [];
    asked = [];
    const marked = (isMeant: (token: MarkedToken) => boolean, afterMs: number) =>
      tokens.filter((token) => isMeant(token) && token.expiresAtMs > afterMs);
    ledger = {
      listLive({ after = "", limit }) {
        asked.push(`rows after ${after}`);
        return Promise.resolve(rows.filter(({ eventId }) => eventId > after).slice(0, limit));
      },
      listMarkedBetween({ from, to, limit, expiresAfterMs }) {
        asked.push(`tokens of ${from}-${to}`);
        const isInRange = ({ revokedBy }: MarkedToken) => revokedBy >= from && revokedBy <= to;
        const isTooMuch = tokens.filter(isInRange).length > limit;
        return Promise.resolve(isTooMuch ? null : marked(isInRange, expiresAfterMs));
      },
      listMarked(eventIds, { after = "", limit, expiresAfterMs }) {
        asked.push(`tokens of ${eventIds.join(" ")} after ${after}`);
        const isMeant = ({ revokedBy, jti }: MarkedToken) => eventIds.includes(revokedBy) && jti > after;
        return Promise.resolve(marked(isMeant, expiresAfterMs).slice(0, limit));
      },
    };
  });

  /** Its number of tokens is what it says of them, and those that it marked. */
  function add(eventId: string, { says, marked = says }: { says: number; marked?: number }): void {
    rows.push({ ...someRow, eventId, tokensRevoked: says });
    for (let at = 0; at < marked; at += 1)
      tokens.push({
        jti: `${eventId}-${String(at).padStart(3, "0")}`,
        expiresAtMs: 9_000,
        revokedBy: eventId,
      });
  }

  const jtisOf = (eventId: string) => tokens.flatMap((one) => (one.revokedBy === eventId ? one.jti : []));

  async function read(query: Partial<LedgerContentsQuery> = {}): Promise<Addition[][]> {
    const steps: Addition[][] = [];
    const sizes = { rows: 10, tokens: 4 };
    for await (const { implied } of ledgerContents({ ledger, names }, { nowMs: 1_000, sizes, ...query }))
      steps.push(implied.map(({ addition }) => addition));
    return steps;
  }

  const tokensIn = (steps: readonly Addition[][]) =>
    steps.flat().flatMap((addition) => (addition.kind === "token" ? addition.token : []));
  const named = (jtis: readonly string[]) => jtis.map((jti) => names.fingerprint(issuer, jti));

  it("reads the tokens of several rows at once, as many as they say", async () => {
    for (const eventId of ["a", "b", "c", "d"]) add(eventId, { says: 2 });
    expect(tokensIn(await read())).to.have.members(named(tokens.map(({ jti }) => jti)));
    expect(asked).to.deep.equal(["rows after ", "tokens of a-b", "tokens of c-d"]);
  });

  it("leaves out the tokens of a row in between that is not included", async () => {
    add("a", { says: 1 });
    add("b", { says: 2 });
    add("c", { says: 1 });
    const steps = await read({ includes: ({ eventId }) => eventId !== "b" });
    expect(tokensIn(steps)).to.have.members(named([...jtisOf("a"), ...jtisOf("c")]));
    expect(asked).to.include("tokens of a-c");
  });

  it("makes two ranges where a row in between that is not included has many", async () => {
    add("a", { says: 1 });
    add("b", { says: 4 });
    add("c", { says: 1 });
    await read({ includes: ({ eventId }) => eventId !== "b" });
    expect(asked).to.deep.equal(["rows after ", "tokens of a-a", "tokens of c-c"]);
  });

  it("halves a range that holds more than its rows say, and pages what one row marked", async () => {
    for (const eventId of ["a", "b", "c", "d", "e", "f", "g", "h"]) add(eventId, { says: 0, marked: 1 });
    add("i", { says: 0, marked: 13 });
    const steps = await read();
    expect(tokensIn(steps)).to.have.members(named(tokens.map(({ jti }) => jti)));
    expect(Math.max(...steps.map((step) => step.length))).to.be.at.most(4);
    expect(asked).to.deep.equal([
      "rows after ",
      "tokens of a-i",
      "tokens of a-d",
      "tokens of e-i",
      "tokens of e-f",
      "tokens of g-i",
      "tokens of g-g",
      "tokens of h-i",
      "tokens of h-h",
      "tokens of i-i",
      "tokens of i after ",
      "tokens of i after i-003",
      "tokens of i after i-007",
      "tokens of i after i-011",
    ]);
  });

  it("gives its reader a turn for each range, so that he may stop", async () => {
    for (let at = 0; at < 10; at += 1) add(`row ${at}`, { says: 4, marked: 0 });
    for await (const { rows: begun } of ledgerContents(
      { ledger, names },
      { nowMs: 1_000, sizes: { rows: 10, tokens: 4 } },
    )) {
      expect(begun).to.equal(1);
      break;
    }
    expect(asked).to.deep.equal(["rows after ", "tokens of row 0-row 0"]);
  });

  it("reads rows in pages, in their order, and counts those that a step begins with", async () => {
    for (const eventId of ["a", "b", "c", "d", "e"]) add(eventId, { says: 0 });
    const counts: number[] = [];
    const sizes = { rows: 2, tokens: 4 };
    for await (const { rows: begun } of ledgerContents({ ledger, names }, { nowMs: 1_000, sizes }))
      counts.push(begun);
    expect(counts).to.deep.equal([2, 2, 1]);
    expect(asked.filter((what) => what.startsWith("rows"))).to.deep.equal([
      "rows after ",
      "rows after b",
      "rows after d",
    ]);
  });
});

const someRow: LedgerRow = {
  eventId: "",
  type: "user.deactivated",
  subject: "6a1c8f0e-2d5b-4c39-9f61-0d7f0c1d2b11",
  external: null,
  jti: null,
  sid: null,
  epoch: 1,
  notBefore: null,
  reason: null,
  actor: null,
  source: "/quash/test",
  sourceEventId: "",
  content: null,
  effectiveAtMs: 500,
  requestedAtMs: 500,
  status: "enforced",
  hold: null,
  unrecorded: false,
  untilMs: 9_000,
  appliedAtMs: 600,
  incarnation: "first",
  position: null,
  enforcedAtMs: 700,
  tokensRevoked: 0,
  instances: [],
};
