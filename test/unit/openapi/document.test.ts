import { createConfig, lintFromString } from "@redocly/openapi-core";
import { expect } from "chai";
import { describe, it } from "mocha";
import { z } from "zod";
import { allOperations } from "../../../api/openapi/all-operations.ts";
import { createDocument } from "../../../api/openapi/create-document.ts";
import { json, jsonBody, named, type Operation } from "../../../api/openapi/operation.ts";

const thing = named("Thing", z.strictObject({ id: z.string() }), { id: "one" });
const operation: Operation = {
  method: "get",
  path: "/things",
  id: "listThings",
  tag: "Service",
  summary: "Lists things",
  caller: "anyone",
  answers: { 200: json("A thing.", thing) },
};
const responsesOf = (one: Operation) =>
  Object.keys(Object(createDocument([one], "1.0.0").paths["/things"]?.["get"]?.["responses"]));

describe("the OpenAPI document", () => {
  it("has no fault that a linter finds", async () => {
    const config = await createConfig({
      extends: ["recommended-strict"],
      rules: { "no-invalid-schema-examples": "error", "no-invalid-parameter-examples": "error" },
    });
    const source = JSON.stringify(createDocument(allOperations, "1.0.0"));
    const problems = await lintFromString({ source, config });
    const faults = problems.map(
      ({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer ?? ""}: ${message}`,
    );
    expect(faults.join("\n")).to.equal("");
  });

  it("adds what follows from who may call and what is sent", () => {
    const ofAnybody = responsesOf(operation);
    expect(ofAnybody).to.include.members(["200", "400", "408", "431", "500"]);
    for (const status of ["401", "403", "413", "415", "503"]) expect(ofAnybody).to.not.include(status);
    expect(responsesOf({ ...operation, caller: "admin" })).to.include.members(["401", "403", "503"]);
    const body = jsonBody("Other", z.strictObject({}), {});
    expect(responsesOf({ ...operation, body })).to.include.members(["413", "415"]);
  });

  it("shows a number in a query as a number, with its bounds", () => {
    const users = createDocument(allOperations, "1.0.0").paths["/users"]?.["get"]?.["parameters"];
    const limit = (Array.isArray(users) ? users : []).find(({ name }) => name === "limit");
    expect(limit).to.have.property("schema").that.deep.equals({
      type: "integer",
      minimum: 1,
      maximum: 100,
      default: 20,
    });
  });

  it("has both modes of an event, with the headers of the one, which the other does without", () => {
    const operation = createDocument(allOperations, "1.0.0").paths["/events"]?.["post"];
    const contents = Reflect.get(Object(operation?.["requestBody"]), "content");
    expect(Object.keys(contents)).to.deep.equal(["application/cloudevents+json", "application/json"]);
    const parameters: unknown[] = Array.isArray(operation?.["parameters"]) ? operation["parameters"] : [];
    const names = parameters.map((each) => String(Reflect.get(Object(each), "name")));
    const attributes = ["specversion", "id", "source", "type", "subject", "time"];
    expect(names).to.include.members(attributes.map((name) => `ce-${name}`));
    expect(parameters.some((each) => Reflect.get(Object(each), "required"))).to.equal(false);
  });

  it("refuses two schemas of one name", () => {
    const other = named("Thing", z.strictObject({}), {});
    const twice = { ...operation, answers: { 200: json("One.", thing), 201: json("Another.", other) } };
    expect(() => createDocument([twice], "1.0.0")).to.throw(TypeError, "Thing");
  });

  it("refuses a parameter in a path of which nothing is known", () => {
    expect(() => createDocument([{ ...operation, path: "/things/:thing" }], "1.0.0")).to.throw(
      TypeError,
      "path-parameters.ts lacks thing",
    );
  });

  it("shows both where a status stands for an answer of the operation's own and for a problem", () => {
    const own = { ...operation, answers: { 400: json("Another form.", thing) } };
    const responses = createDocument([own], "1.0.0").paths["/things"]?.["get"]?.["responses"];
    expect(Object(responses)["400"])
      .to.have.property("content")
      .with.all.keys("application/json", "application/problem+json");
  });

  it("takes a client's secret, an access token or an assertion where all three will do", () => {
    const { paths } = createDocument(allOperations, "1.0.0");
    for (const path of ["/oauth/revoke", "/oauth/introspect"]) {
      expect(paths[path]?.["post"]?.["security"]).to.deep.equal([{ client: [] }, { accessToken: [] }, {}]);
    }
    expect(paths["/oauth/token"]?.["post"]?.["security"]).to.deep.equal([{ client: [] }, {}]);
  });
});
