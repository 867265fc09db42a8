import { expect } from "chai";
import { describe, it } from "mocha";
import type { ErrorCode } from "../../../shared/errors.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { forgeSubject, type TokenForge } from "../../support/token-forge.ts";
import { describeRows, type TokenRow, withDoor } from "./door.ts";

const json = (value: unknown) => JSON.stringify(value)?.slice(0, 40);
const now = () => Math.floor(Date.now() / 1_000);

function each(
  row: string,
  claim: string,
  values: readonly unknown[],
  slug: ErrorCode = "claims-invalid",
): TokenRow[] {
  return values.map((value) => [
    row,
    `${claim} ${json(value)}`,
    slug,
    (f) => f.withClaims({ [claim]: value }),
  ]);
}

/** A number as it is written, which JSON.stringify would not write. */
const written = (row: string, claim: string, text: string): TokenRow => [
  row,
  `${claim} ${text}`,
  "claims-invalid",
  (f) => f.signed(f.header(), JSON.stringify({ ...f.claims(), [claim]: "|" }).replace('"|"', text)),
];

const times = (
  row: string,
  what: string,
  slug: ErrorCode | "accepted",
  claims: () => Record<string, unknown>,
): TokenRow => [row, what, slug, (f: TokenForge) => f.withClaims(claims())];

const rows: TokenRow[] = [
  ...each("C1", "exp", [undefined]),
  times("C2", "exp an hour ago", "token-expired", () => ({ exp: now() - 3_600 })),
  times("C2", "exp as long ago as the tolerance", "token-expired", () => ({ exp: now() - 5 })),
  ...each("C2", "exp", [-1, 0], "token-expired"),
  ...each("C3", "exp", ["4102444800", null, true, [4_102_444_800], {}]),
  written("C4", "exp", "1e400"),
  written("C4", "exp", "9007199254740993"),
  times("C4", "exp in milliseconds", "claims-invalid", () => ({ exp: Date.now() + 900_000 })),
  times("C4", "exp beyond the longest lifetime after iat", "claims-invalid", () => ({ exp: now() + 86_500 })),
  times("C5", "exp with a fraction", "claims-invalid", () => ({ exp: now() + 800.5 })),
  times("C6", "nbf beyond the tolerance", "token-not-yet-valid", () => ({ nbf: now() + 60 })),
  ...each("C6", "nbf", ["1", null, [], {}, true]),
  times("C6", "nbf with a fraction", "claims-invalid", () => ({ nbf: now() - 10.5 })),
  times("C6", "nbf in the past", "accepted", () => ({ nbf: now() - 10 })),
  ...each("C7", "iat", [undefined, "1768478390", null, "1768478390.5", -1, 0, {}, [1]]),
  times("C7", "iat in milliseconds", "claims-invalid", () => ({ iat: Date.now() })),
  times("C7", "iat after exp", "claims-invalid", () => ({ iat: now() + 100, exp: now() + 50 })),
  times("C7", "iat with a fraction", "claims-invalid", () => ({ iat: now() - 10.5 })),
  written("C7", "iat", "-1e400"),
  times("C8", "iat beyond the tolerance", "token-not-yet-valid", () => ({ iat: now() + 60 })),
  ...each("C9", "jti", [undefined, "", 1, { $ne: null }, "a".repeat(4_096), null, ["a"]]),
  ...each("C9", "jti", [
    "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55\r\n",
    "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55\u0000",
  ]),
  ...each("C9", "jti", [
    "7A0B8F0E-2F7D-4A53-8A43-1B2F0A6F4C55",
    "{7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55}",
    "7a0b8f0e2f7d4a538a431b2f0a6f4c55",
  ]),
  ...each("C9", "sid", [undefined, "", 1, null, "s1", { $ne: null }]),
  ...each("C10", "sub", [undefined, "", 1, ["u1"], { $gt: "" }, null, "u".repeat(4_096), true]),
  ...each("C10", "client_id", [undefined, "", 1, null, {}]),
  ...each(
    "C12",
    "iss",
    [
      "https://evil.test",
      undefined,
      ["https://issuer.test"],
      "https://issuer.test/",
      "https://іssuer.test",
      "HTTPS://ISSUER.TEST",
      null,
      1,
      {},
      "",
    ],
    "issuer-rejected",
  ),
  ...each(
    "C13",
    "aud",
    ["other", undefined, [], {}, 1, null, "", "Quash", ["quash", "other"], ["quash"], true],
    "audience-rejected",
  ),
  ...each(
    "C13",
    "aud",
    [Array.from({ length: 500 }, () => "x"), Array.from({ length: 500 }, () => "quash")],
    "audience-rejected",
  ),
  ...each("C14", "epoch", [undefined, "3", -1, 1.5, 2 ** 53, null, [3], {}, true]),
  written("C14", "epoch", "1e400"),
  ...each("C15", "roles", [Array.from({ length: 33 }, (_, at) => `role-${at}`)]),
  ...each("C15", "roles", [Array.from({ length: 900 }, () => 1)], "token-malformed"),
  ...each("C15", "scope", [{ admin: true }, [{ name: "admin" }], ["admin"], null, 1, ""]),
];

describe("bad inputs: claims", () => {
  describeRows(rows);

  describe("who the subject is", () => {
    const door = withDoor();

    it("C11 sub in upper case: is another user's, and is not folded", async () => {
      const { forge, get } = door();
      const sub = forgeSubject.toUpperCase();
      const answer = await get("/me", `Authorization: Bearer ${forge.withClaims({ sub })}`);
      expect([answer.status, answer.body["id"], answer.body["email"]]).to.deep.equal([200, sub, null]);
    });

    it("C15 roles that there are not: forbidden", async () => {
      const { forge, get } = door();
      for (const roles of [[], ["Admin"], ["admin "], ["ADMIN"], ["user"], ["constructor"]]) {
        const answer = await get("/users", `Authorization: Bearer ${forge.withClaims({ roles })}`);
        expectProblem(answer, "forbidden", JSON.stringify(roles));
      }
    });
  });
});
