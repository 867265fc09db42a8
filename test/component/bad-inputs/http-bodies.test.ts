import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import type { ErrorCode } from "../../../shared/errors.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../../support/test-api.ts";
import { naughtyTexts } from "./naughty-texts.ts";

const someId = "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55";
const utf16 = (text: string) => Buffer.from(text, "utf16le");

describe("bad bodies", () => {
  let world: ApiWorld;
  let api: TestApi;
  let token: string;

  before(async () => {
    world = await createApiWorld({ settings: { LOGIN_FAILURES_PER_ADDRESS: 0 } });
    await world.startWorker();
    api = await world.startApi();
    token = await api.signIn();
  });
  after(() => world.close());

  const post = (path: string, body: string | Uint8Array, type: string | null = "application/json") =>
    sendRaw(
      api.port,
      Buffer.concat([
        Buffer.from(
          [
            `POST ${path} HTTP/1.1`,
            "Host: a",
            "Connection: close",
            `Authorization: Bearer ${token}`,
            `Content-Length: ${Buffer.byteLength(body)}`,
            ...(type === null ? [] : [`Content-Type: ${type}`]),
            "\r\n",
          ].join("\r\n"),
          "latin1",
        ),
        Buffer.from(body),
      ]),
    );

  /** Every call that reads a body, and whether it must have one. */
  const calls: [path: string, needsBody: boolean][] = [
    ["/auth/login", true],
    ["/auth/refresh", true],
    ["/auth/logout", false],
    ["/users", true],
    [`/users/${someId}/deactivate`, false],
    [`/users/${someId}/sign-out`, false],
    [`/users/${someId}/reactivate`, false],
    [`/tokens/${someId}/revoke`, false],
  ];

  const nested = `${'{"a":'.repeat(2_000)}1${"}".repeat(2_000)}`;
  const rows: [row: string, body: string | Uint8Array, type: string | null, slug: ErrorCode][] = [
    ["B1: no JSON", "email=a", "application/json", "body-malformed"],
    ["B1: JSON that was cut off", '{"email":"a', "application/json", "body-malformed"],
    ["B1: two values", "{}{}", "application/json", "body-malformed"],
    ["B1: a comma too many", '{"a":1,}', "application/json", "body-malformed"],
    ["B1: a comment", "{/**/}", "application/json", "body-malformed"],
    ["B1: NaN", '{"a":NaN}', "application/json", "body-malformed"],
    ["B1: single quotes", "{'a':1}", "application/json", "body-malformed"],
    ["B1: white space", " \n", "application/json", "body-malformed"],
    ["B1: a byte order mark", "\uFEFF{}", "application/json", "body-malformed"],
    ["B1: bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "application/json", "body-malformed"],
    ["B1: UTF-16", utf16("{}"), "application/json", "body-malformed"],
    ["B1: null", "null", "application/json", "body-malformed"],
    ["B1: an array", "[]", "application/json", "body-malformed"],
    ["B1: an array of an object", "[{}]", "application/json", "body-malformed"],
    ["B1: a text", '"{}"', "application/json", "body-malformed"],
    ["B1: a number", "1e400", "application/json", "body-malformed"],
    ["B1: true", "true", "application/json", "body-malformed"],
    ["B2: no content type", "{}", null, "unsupported-media-type"],
    ["B2: an empty content type", "{}", "", "unsupported-media-type"],
    ["B2: text/plain", "{}", "text/plain", "unsupported-media-type"],
    ["B2: text/json", "{}", "text/json", "unsupported-media-type"],
    ["B2: a form", "a=1", "application/x-www-form-urlencoded", "unsupported-media-type"],
    ["B2: a multipart form", "--x--", "multipart/form-data; boundary=x", "unsupported-media-type"],
    ["B2: XML", "<a/>", "application/xml", "unsupported-media-type"],
    ["B2: UTF-16, as it says", utf16("{}"), "application/json; charset=utf-16", "unsupported-media-type"],
    ["B2: another parameter", "{}", "application/json; profile=x", "unsupported-media-type"],
    ["B2: two types", "{}", "application/json, text/plain", "unsupported-media-type"],
    ["B3: more than 16 KB", `{"a":"${"a".repeat(17_000)}"}`, "application/json", "request-too-large"],
    ["B4: a member twice", '{"a":1,"a":1}', "application/json", "validation-failed"],
    ["B4: a member twice, once escaped", '{"a":1,"\\u0061":2}', "application/json", "validation-failed"],
    ["B4: a member twice, far inside", '{"x":[{"a":1,"a":2}]}', "application/json", "validation-failed"],
    ["B4: __proto__", '{"__proto__":{"roles":["admin"]}}', "application/json", "validation-failed"],
    ["B4: __proto__, escaped", '{"\\u005f_proto__":1}', "application/json", "validation-failed"],
    ["B4: constructor", '{"constructor":{"prototype":{}}}', "application/json", "validation-failed"],
    [
      "B4: toString and hasOwnProperty",
      '{"toString":1,"hasOwnProperty":1}',
      "application/json",
      "validation-failed",
    ],
    ["B4: an unknown member", '{"is_admin":true}', "application/json", "validation-failed"],
    ["B4: objects 2000 deep", nested, "application/json", "validation-failed"],
    ["B6: $where", '{"$where":"sleep(9999)"}', "application/json", "validation-failed"],
    ["B6: $expr", '{"$expr":{"$function":{}}}', "application/json", "validation-failed"],
    ["B6: a path with a dot", '{"a.b":1}', "application/json", "validation-failed"],
    ["B6: NUL in a name", '{"a\\u0000":1}', "application/json", "validation-failed"],
  ];

  for (const [row, body, type, slug] of rows) {
    it(`${row}: ${slug}, at every call that reads a body`, async () => {
      for (const [path] of calls) expectProblem(await post(path, body, type), slug, path);
    });
  }

  it("B1: no body at all: body-malformed, where one is needed", async () => {
    for (const [path, needsBody] of calls) {
      if (needsBody) expectProblem(await post(path, "", null), "body-malformed", path);
    }
  });

  it("B2: a body may say that it is UTF-8, in any case", async () => {
    for (const type of ["application/json;charset=utf-8", 'Application/JSON; Charset="UTF-8"']) {
      expectProblem(await post("/auth/refresh", '{"refresh_token":"x"}', type), "refresh-token-invalid");
    }
  });

  const noTexts = [
    '{"$ne":null}',
    '{"$gt":""}',
    '{"$regex":".*"}',
    "{}",
    "[]",
    '["a@b.c"]',
    "1",
    "1e400",
    "true",
    "false",
    "null",
  ];
  for (const value of noTexts) {
    it(`B5: ${value} in place of a text: validation-failed at that member`, async () => {
      const members: [path: string, body: string, pointer: string][] = [
        ["/auth/login", `{"email":${value},"password":"long enough"}`, "/email"],
        ["/auth/login", `{"email":"a@b.c","password":${value}}`, "/password"],
        ["/auth/refresh", `{"refresh_token":${value}}`, "/refresh_token"],
        ["/users", `{"email":${value},"password":"long enough"}`, "/email"],
        ["/users", `{"email":"a@b.c","password":${value}}`, "/password"],
        [`/users/${someId}/deactivate`, `{"reason":${value}}`, "/reason"],
        [`/tokens/${someId}/revoke`, `{"reason":${value}}`, "/reason"],
      ];
      for (const [path, body, pointer] of members) {
        const answer = await post(path, body);
        expectProblem(answer, "validation-failed", path);
        expect(answer.body["errors"], path).to.have.nested.property("[0].pointer", pointer);
      }
    });
  }

  const addresses: [row: string, email: string][] = [
    ["B6: $where", "$where"],
    ["B6: NUL", "a\0@example.com"],
    ["B6: CR and LF", "a@example.com\r\nBcc: b@example.com"],
    ["B7: very long", `${"a".repeat(15_000)}@example.com`],
    ["B7: a lone surrogate", "a\ud800@example.com"],
    ["B7: right-to-left override", "a\u202e@example.com"],
    ["B7: an isolate", "\u2066a\u2069@example.com"],
    ["B7: zero-width space", "a\u200b@example.com"],
    ["B7: zero-width joiner", "a\u200d@example.com"],
    ["B7: soft hyphen", "a\u00ad@example.com"],
    ["B7: Hangul filler", "a\u3164@example.com"],
    ["B7: variation selector", "a\ufe0f@example.com"],
    ["B7: tag characters", "a\u{e0061}@example.com"],
    ["B7: private use", "a\ue000@example.com"],
    ["B7: no character", "a\uffff@example.com"],
    ["B7: no-break space inside", "a\u00a0b@example.com"],
    ["B7: no at sign", "example.com"],
    ["B7: two of them", "a@b@example.com"],
  ];
  for (const [row, email] of addresses) {
    it(`${row} in an address: validation-failed, at sign-in and for a new user`, async () => {
      for (const path of ["/auth/login", "/users"]) {
        const answer = await post(path, JSON.stringify({ email, password: "long enough" }));
        expectProblem(answer, "validation-failed", path);
        expect(answer.body["errors"]).to.have.nested.property("[0].pointer", "/email");
      }
    });
  }

  it("B7: addresses that differ in form, case, or white space around them alone are one", async () => {
    const password = "long enough";
    const id = await api.createUser(token, { email: "zo\u00eb@example.com", password });
    const twins = ["zoe\u0308@example.com", "ZO\u00cb@EXAMPLE.com", " zo\u00eb@example.com "];
    for (const email of twins) {
      expectProblem(await api.call("/users", { token, body: { email, password } }), "email-taken", email);
      const signedIn = await api.signIn(email, password);
      expect((await api.call("/me", { token: signedIn })).body).to.include({
        id,
        email: "zo\u00eb@example.com",
      });
    }
  });

  it("B7: letters that only look alike are not one", async () => {
    const password = "long enough";
    await api.createUser(token, { email: "paypal@example.com", password });
    const other = await api.createUser(token, { email: "p\u0430ypal@example.com", password });
    expect(other).to.be.a("string");
  });

  it("B7: whatever stands in a reason or an address, no 5xx, and a reason is kept as it is or refused", async () => {
    for (const [index, text] of naughtyTexts.entries()) {
      const email = `naughty-${index}@example.com`;
      const id = await api.createUser(token, { email, password: "long enough" });
      const receipt = await api.call(`/users/${id}/deactivate`, { token, body: { reason: text } });
      if (receipt.status !== 400) expect(receipt.body["reason"], text).to.equal(text);
      expect(receipt.status, text).to.be.oneOf([202, 400]);
      const signIn = await api.call("/auth/login", { body: { email: text, password: text } });
      expect(signIn.status, text).to.be.oneOf([400, 401]);
    }
  });

  for (const [row, reason] of [
    ["a control character", "a\u0007"],
    ["a line break", "a\nlevel=error"],
    ["an escape sequence", "\u001b[31m"],
    ["a lone surrogate", "a\udc00"],
    ["right-to-left override", "a\u202etxt.exe"],
    ["an isolate", "\u2067a"],
  ] as const) {
    it(`B7: ${row} in a reason: validation-failed`, async () => {
      for (const path of [`/users/${someId}/deactivate`, `/tokens/${someId}/revoke`]) {
        expectProblem(await post(path, JSON.stringify({ reason })), "validation-failed", path);
      }
    });
  }

  for (const [row, password] of [
    ["more than 1 KB", "a".repeat(1_025)],
    ["more than 1 KB of two bytes each", "\u00e9".repeat(513)],
    ["none", ""],
    ["white space", "   "],
    ["other white space", "\u00a0\u2003"],
    ["NUL", "long\0enough"],
  ] as const) {
    it(`B8: ${row} as a password: validation-failed`, async () => {
      for (const path of ["/auth/login", "/users"]) {
        const answer = await post(path, JSON.stringify({ email: "a@example.com", password }));
        expectProblem(answer, "validation-failed", path);
        expect(answer.body["errors"]).to.have.nested.property("[0].pointer", "/password");
        expect(answer.text).not.to.contain("long");
      }
    });
  }
});
