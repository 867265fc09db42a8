import { expect } from "chai";
import { describe, it } from "mocha";
import type { ErrorCode } from "../../../shared/errors.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { sendRaw } from "../../support/test-api.ts";
import type { TokenForge } from "../../support/token-forge.ts";
import { withDoor } from "./door.ts";

const bearer = (token: string) => `Authorization: Bearer ${token}`;
/** Whatever is sent more than once counts as two, also where it is the same twice. */
const repeated = (line: string, times: number) => Array.from({ length: times }, () => line);

const rows: [
  row: string,
  what: string,
  slug: ErrorCode | "accepted",
  lines: (forge: TokenForge) => string[],
][] = [
  ["T2", "spaces only after the scheme", "token-missing", () => ["Authorization: Bearer    "]],
  ["T3", "a token without a scheme", "auth-scheme-unsupported", (f) => [`Authorization: ${f.good()}`]],
  [
    "T3",
    "a tab between scheme and token",
    "auth-scheme-unsupported",
    (f) => [`Authorization: Bearer\t${f.good()}`],
  ],
  ["T3", "the scheme DPoP", "auth-scheme-unsupported", (f) => [`Authorization: DPoP ${f.good()}`]],
  ["T3", "a scheme of 15 KB", "auth-scheme-unsupported", () => [`Authorization: ${"B".repeat(15_000)} x`]],
  [
    "T4",
    "two, the second in other letters",
    "auth-ambiguous",
    (f) => [bearer(f.good()), "authorization: Bearer x"],
  ],
  ["T4", "two, the second Basic", "auth-ambiguous", (f) => [bearer(f.good()), "Authorization: Basic YTpi"]],
  ["T4", "two, the first empty", "auth-ambiguous", (f) => ["Authorization:", bearer(f.good())]],
  [
    "T4",
    "two, with 2100 headers between them",
    "auth-ambiguous",
    (f) => [bearer(f.good()), ...repeated("a:", 2_100), bearer("x")],
  ],
  [
    "T7",
    "a list of two headers in one",
    "auth-malformed",
    (f) => [`Authorization: Bearer ${f.good()}, Bearer ${f.good()}`],
  ],
  ["T7", "a parameter", "auth-malformed", (f) => [`Authorization: Bearer ${f.good()} realm="x"`]],
  ["T7", "7000 words", "auth-malformed", () => [`Authorization: Bearer ${"a ".repeat(7_000)}a`]],
  ["T8", "the scheme in mixed case", "accepted", (f) => [`Authorization: bEaReR ${f.good()}`]],
  ["T8", "two spaces after the scheme", "accepted", (f) => [`Authorization: Bearer  ${f.good()}`]],
  ["T9", "a token of 8193 characters", "token-too-large", () => [bearer("a".repeat(8_193))]],
  ["T9", "a token of 8192 characters", "token-malformed", () => [bearer("a".repeat(8_192))]],
  [
    "T9",
    "a signed token of 9 KB",
    "token-too-large",
    (f) => [bearer(f.withClaims({ more: "a".repeat(6_000) }))],
  ],
  ["T10", "a token of 17 KB", "request-header-too-large", () => [bearer("a".repeat(17_000))]],
  ["T11", "NUL in the token", "request-malformed", (f) => [bearer(f.good().replace(".", "\0."))]],
  [
    "T11",
    "a control character in the token",
    "request-malformed",
    (f) => [bearer(f.good().replace(".", "\x01."))],
  ],
  ["T11", "DEL in the token", "request-malformed", (f) => [bearer(f.good().replace(".", "\x7f."))]],
  ["T11", "a token on a folded line", "request-malformed", (f) => ["Authorization: Bearer", ` ${f.good()}`]],
  ["T11", "a line feed in the token", "request-malformed", (f) => [bearer(f.good().replace(".", "\n."))]],
  [
    "T11",
    "a carriage return in the token",
    "request-malformed",
    (f) => [bearer(f.good().replace(".", "\r."))],
  ],
  ["T11", "a space before the colon", "request-malformed", (f) => [`Authorization : Bearer ${f.good()}`]],
  ["T12", "UTF-8 in the token", "token-malformed", (f) => [bearer(f.good().replace(".", "\xc3\xa9."))]],
  ["T12", "latin-1 in the token", "token-malformed", (f) => [bearer(f.good().replace(".", "\xe9."))]],
  [
    "T13",
    "a cookie beside the header, which nobody reads",
    "accepted",
    (f) => [bearer(f.good()), "Cookie: access_token=x"],
  ],
];

describe("bad inputs: how a token is sent", () => {
  const door = withDoor();

  for (const [row, what, slug, lines] of rows) {
    it(`${row} ${what}: ${slug}`, async () => {
      const answer = await door().get("/me", ...lines(door().forge));
      if (slug === "accepted") expect(answer.status, answer.text).to.equal(200);
      else expectProblem(answer, slug);
    });
  }

  const post = (path: string, body: string, ...lines: string[]) =>
    sendRaw(
      door().api.port,
      [
        `POST ${path} HTTP/1.1`,
        "Host: a",
        "Connection: close",
        ...lines,
        `Content-Length: ${body.length}`,
        "",
        body,
      ].join("\r\n"),
    );
  const form = "Content-Type: application/x-www-form-urlencoded";

  for (const body of [
    "access_token=x",
    "a=b&access%5Ftoken=x",
    "access_token",
    "access_token=x&access_token=y",
  ]) {
    it(`T5 a header and the form ${body}: auth-ambiguous`, async () => {
      const token = bearer(door().forge.good());
      expectProblem(await post("/auth/logout", body, form, token), "auth-ambiguous");
      expectProblem(await post("/auth/logout", body, `${form}; charset=utf-8`, token), "auth-ambiguous");
    });
  }

  it("T5 a header and a form in chunks: auth-ambiguous", async () => {
    const lines = [form, bearer(door().forge.good()), "Transfer-Encoding: chunked", "Connection: close"];
    const head = ["POST /auth/logout HTTP/1.1", "Host: a", ...lines, "", "e\r\naccess_token=x\r\n0\r\n\r\n"];
    expectProblem(await sendRaw(door().api.port, head.join("\r\n")), "auth-ambiguous");
  });

  it("T5 a header and a form without a token, or that is too large: is the answer to forms", async () => {
    const token = bearer(door().forge.good());
    expectProblem(await post("/auth/logout", "token=x", form, token), "unsupported-media-type");
    expectProblem(await post("/auth/logout", "a".repeat(20_000), form, token), "request-too-large");
  });

  it("T5 a header and a query that is escaped, repeated or empty: auth-ambiguous", async () => {
    const token = bearer(door().forge.good());
    for (const query of [
      "access_token=x",
      "%61ccess_token=x",
      "a=b&access_token",
      "access_token=x&access_token=y",
    ])
      expectProblem(await door().get(`/me?${query}`, token), "auth-ambiguous", query);
  });

  it("T6 a token in a form only: token-missing", async () => {
    const token = door().forge.good();
    expectProblem(await post("/auth/logout", `access_token=${token}`, form), "token-missing");
  });
});
