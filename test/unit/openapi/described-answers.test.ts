import { expect } from "chai";
import { describe, it } from "mocha";
import { health, receipt } from "../../../api/openapi/response-schemas.ts";
import { expectDescribed, type GivenAnswer } from "../../support/described-answers.ts";

const base = { "x-request-id": "one", "content-type": "application/json; charset=utf-8" };
const live: GivenAnswer = {
  method: "GET",
  path: "/livez?x=y",
  status: 200,
  headers: new Headers(base),
  text: JSON.stringify(health.example),
};
const problem = {
  type: "/problems/not-found",
  title: "There is nothing at this address",
  status: 404,
  detail: "There is nothing at this path.",
  instance: "/nowhere",
  request_id: "one",
};

describe("an answer in a component test", () => {
  it("may be as the document has it", () => {
    expectDescribed(live);
    expectDescribed({
      ...live,
      path: `/revocations/${receipt.example === null ? "" : "0-1"}`,
      ...refusal("not-found", 404),
    });
    expectDescribed({ ...live, path: "/nowhere", ...refusal("not-found", 404) });
    expectDescribed({ ...live, method: "PUT", ...refusal("method-not-allowed", 405) });
    expectDescribed({ ...live, method: "HEAD", text: "" });
  });

  for (const [what, answer, fault] of [
    ["status", { status: 201 }, "no status 201"],
    ["content type", { headers: new Headers({ ...base, "content-type": "text/plain" }) }, "text/plain"],
    ["member", { text: '{"status":"ok","checks":{},"more":1}' }, "must NOT have additional properties"],
    ["missing member", { text: '{"status":"ok"}' }, "must have required property 'checks'"],
    ["header", { headers: new Headers({ ...base, "x-more": "1" }) }, "x-more is not described"],
    [
      "missing header",
      { headers: new Headers({ "content-type": "application/json" }) },
      "x-request-id is missing",
    ],
    ["problem", refusal("email-taken", 400), "must be equal to one of the allowed values"],
    ["refusal of a path that there is", { method: "PUT", ...refusal("not-found", 404) }, "405, and not 404"],
    ["refusal that is no problem", { path: "/nowhere", text: "Not Found" }, "not a problem"],
  ] as const satisfies readonly (readonly [string, Partial<GivenAnswer>, string])[]) {
    it(`must not have a ${what} that is not described`, () => {
      expect(() => expectDescribed({ ...live, ...answer })).to.throw(fault);
    });
  }
});

function refusal(slug: string, status: number) {
  const headers = new Headers({
    ...base,
    "cache-control": "no-store",
    "content-type": "application/problem+json",
  });
  return { status, headers, text: JSON.stringify({ ...problem, type: `/problems/${slug}`, status }) };
}
