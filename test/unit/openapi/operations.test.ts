import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { allOperations } from "../../../api/openapi/all-operations.ts";
import { createDocument } from "../../../api/openapi/create-document.ts";
import { apiVersion } from "../../../api/openapi/version.ts";
import { errorTable } from "../../../shared/errors.ts";
import { routes } from "../../support/routes.ts";

const described = allOperations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
const document = createDocument(allOperations, apiVersion);

/** Of the worker, or of a start that fails: no caller of the API meets them. */
const unmet = ["config-invalid"];
/** What no operation answers with: no route was found. */
const ofNoOperation = ["method-not-allowed"];

describe("the operations", () => {
  it("describe every route of the router", () => {
    const missing = routes().filter((route) => !described.includes(route));
    expect(missing, "add these to a file of api/openapi/operations/ (see all-operations.ts)").to.deep.equal(
      [],
    );
  });

  it("describe nothing that the router does not have", () => {
    const surplus = described.filter((route) => !routes().includes(route));
    expect(surplus, "remove these from api/openapi/operations/").to.deep.equal([]);
  });

  it("have ids of their own", () => {
    const ids = allOperations.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("name every problem that a caller can meet", () => {
    const named = Object.keys(document.components["examples"] ?? {});
    const expected = Object.keys(errorTable).filter(
      (slug) => !unmet.includes(slug) && !ofNoOperation.includes(slug),
    );
    expect(named).to.have.members(expected);
  });
});

describe("the version of the API", () => {
  it("is that of the package", () => {
    const file = join(import.meta.dirname, "..", "..", "..", "package.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).to.have.property("version", apiVersion);
  });
});
