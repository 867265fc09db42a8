import { createHash } from "node:crypto";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { expectDescribed } from "../support/described-answers.ts";
import { type ApiWorld, createApiWorld } from "../support/test-api.ts";

let world: ApiWorld;
let url: string;

beforeEach(async () => {
  world = await createApiWorld();
  ({ url } = await world.listen());
});
afterEach(() => world.close());

const get = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${url}${path}`, { headers });
  const text = await answer.text();
  expectDescribed({ method: "GET", path, status: answer.status, headers: answer.headers, text });
  return { answer, text };
};

for (const [path, type] of [
  ["/openapi.json", "application/json; charset=utf-8"],
  ["/docs", "text/html; charset=utf-8"],
] as const) {
  describe(`GET ${path}`, () => {
    it("can be kept, and is not sent again to who has it", async () => {
      const first = await get(path);
      expect(first.answer.status).to.equal(200);
      expect(first.answer.headers.get("content-type")).to.equal(type);
      expect(first.answer.headers.get("cache-control")).to.equal("public, max-age=300");

      const again = await get(path, { "if-none-match": first.answer.headers.get("etag") ?? "" });
      expect([again.answer.status, again.text]).to.deep.equal([304, ""]);
      expect(again.answer.headers.get("etag")).to.equal(first.answer.headers.get("etag"));
    });

    it("is sent again to who has another", async () => {
      expect((await get(path, { "if-none-match": '"another"' })).answer.status).to.equal(200);
    });
  });
}

describe("GET /docs", () => {
  it("may use its own style and nothing else", async () => {
    const { answer, text } = await get("/docs");
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(answer.headers.get("content-security-policy")).to.equal(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(text).to.not.match(/<(script|link|img|iframe|form)\b|\sstyle=|\son[a-z]+=/);
    expect(
      [...text.matchAll(/(?:href|src)="([^#"]*)[^"]*"/g)].map(([, target]) => target).filter(Boolean),
    ).to.deep.equal(["openapi.json"]);
  });

  it("shows every operation, schema and problem, and leads to them", async () => {
    const { text } = await get("/docs");
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
    expect(ids).to.include.members(["signIn", "deactivateUser", "schema-Receipt", "problem-token-revoked"]);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(targets.filter((target) => !ids.includes(target))).to.deep.equal([]);
  });
});
