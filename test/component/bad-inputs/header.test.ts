import { describe } from "mocha";
import { describeRows, type TokenRow } from "./door.ts";

const json = (value: unknown) => JSON.stringify(value);
const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, at]));

const rows: TokenRow[] = [
  ...[["unknown"], [], "exp", ["exp", "exp"], ["alg"], ["b64"], {}, null, [1], true].map(
    (crit): TokenRow => ["H1", `crit ${json(crit)}`, "header-rejected", (f) => f.withHeader({ crit })],
  ),
  [
    "H1",
    "crit that names a member which is there",
    "header-rejected",
    (f) => f.withHeader({ crit: ["more"], more: 1 }),
  ],
  ["H2", "b64 false", "header-rejected", (f) => f.withHeader({ b64: false })],
  [
    "H2",
    "b64 false, as RFC 7797 wants it",
    "header-rejected",
    (f) => f.withHeader({ b64: false, crit: ["b64"] }),
  ],
  ["H3", "zip DEF", "header-rejected", (f) => f.withHeader({ zip: "DEF" })],
  ["H4", "cty JWT", "header-rejected", (f) => f.withHeader({ cty: "JWT" })],
  ["H4", "a nested token", "token-malformed", (f) => f.signed(f.header(), f.good())],
  ...[
    undefined,
    "rt+jwt",
    "logout+jwt",
    "id+jwt",
    "JWT",
    "jwt",
    "secevent+jwt",
    "dpop+jwt",
    "AT+JWT",
    "at+jwt ",
    "application/at+jwt;x=1",
    "",
    null,
    1,
    ["at+jwt"],
  ].map((typ): TokenRow => ["H5", `typ ${json(typ)}`, "token-type-rejected", (f) => f.withHeader({ typ })]),
  ["H6", "17 members", "header-rejected", (f) => f.withHeader(numbered(14))],
  ["H6", "500 members", "header-rejected", (f) => f.withHeader(numbered(300))],
  [
    "H6",
    "a long list",
    "header-rejected",
    (f) => f.withHeader({ more: Array.from({ length: 200 }, () => 1) }),
  ],
  ["H6", "one member of 2 KB", "header-rejected", (f) => f.withHeader({ more: "a".repeat(2_048) })],
  [
    "H6",
    "more than 1 KB, of white space",
    "header-rejected",
    (f) => f.signed(json(f.header()).replace("{", `{${" ".repeat(1_024)}`), f.claims()),
  ],
  [
    "H6",
    "__proto__ as a member",
    "header-rejected",
    (f) => f.signed(json(f.header()).replace("{", '{"__proto__":{"kid":"x"},'), f.claims()),
  ],
];

describe("bad inputs: the header of a token", () => {
  describeRows(rows);
});
