import { expect } from "chai";
import { type ErrorCode, errorTable } from "../../shared/errors.ts";
import type { Answer } from "./client.ts";

/** Asserts that an answer is the problem of this name, whole: status, type, request id, challenge. */
export function expectProblem(
  answer: Pick<Answer, "status" | "headers" | "body">,
  slug: ErrorCode,
  context = "",
): void {
  const { status, title } = errorTable[slug];
  const { body, headers } = answer;
  expect(body["type"], `${context} ${JSON.stringify(body)}`).to.equal(`/problems/${slug}`);
  expect([answer.status, body["status"], body["title"]], context).to.deep.equal([status, status, title]);
  expect(headers.get("content-type"), context).to.match(/^application\/problem\+json/);
  expect(body["request_id"], context).to.be.a("string").that.equals(headers.get("x-request-id"));
  expect(body["detail"], context).to.be.a("string").with.length.greaterThan(10);
  expect(body["instance"], context).to.be.a("string");
  const challenge = headers.get("www-authenticate");
  if (status !== 401 && status !== 403) expect(challenge, context).to.equal(null);
  else if ("challenge" in errorTable[slug])
    expect(challenge, context).to.match(
      status === 401
        ? /^Bearer realm="quash", error="invalid_token", error_description="[^"]+"$/
        : /^Bearer realm="quash", error="insufficient_scope", error_description="[^"]+"$/,
    );
  else expect(challenge, context).to.equal('Bearer realm="quash"');
  if (status === 503) expect(Number(headers.get("retry-after")), context).to.be.at.least(1);
}
