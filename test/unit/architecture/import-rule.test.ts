import { expect } from "chai";
import { describe, it } from "mocha";
import { importsOf, readSources } from "../../support/sources.ts";

const sources = readSources("api", "workers", "shared", "embedded");

/** Each of these libraries is imported in its own folder or file only. */
const homes: Record<string, string | readonly string[]> = {
  kafkajs: "shared/kafka/",
  ioredis: "shared/redis/",
  mongoose: "shared/mongo/",
  mongodb: "shared/mongo/",
  "prom-client": "shared/metrics.ts",
  pino: "shared/log.ts",
  jsonwebtoken: "api/tokens/",
  "@node-rs/argon2": "api/users/",
  "rate-limiter-flexible": ["shared/redis/", "shared/in-process/"],
  koa: "api/",
  "@koa/cors": "api/",
  "@koa/router": "api/",
  commander: ["api/clients/", "api/keys/", "workers/audit/", "workers/dead-letters/", "workers/digests/"],
};

function violations(isForbidden: (from: string, imported: string) => boolean): string[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter((imported) => isForbidden(source.path, imported))
      .map((imported) => `${source.path} -> ${imported}`),
  );
}

describe("the import rule", () => {
  it("reads sources of every folder", () => {
    for (const folder of ["api", "workers", "shared", "embedded"]) {
      expect(
        sources.some(({ path }) => path.startsWith(`${folder}/`)),
        folder,
      ).to.equal(true);
    }
  });

  it("keeps api and workers apart", () => {
    expect(violations((from, to) => from.startsWith("api/") && to.startsWith("workers/"))).to.deep.equal([]);
    expect(violations((from, to) => from.startsWith("workers/") && to.startsWith("api/"))).to.deep.equal([]);
  });

  it("lets shared import neither of them", () => {
    expect(violations((from, to) => from.startsWith("shared/") && /^(api|workers)\//.test(to))).to.deep.equal(
      [],
    );
  });

  it("lets nobody import embedded or the tests", () => {
    expect(
      violations((from, to) => !from.startsWith("embedded/") && to.startsWith("embedded/")),
    ).to.deep.equal([]);
    expect(violations((_, to) => to.startsWith("test/"))).to.deep.equal([]);
  });

  it("imports each client library in its own place only", () => {
    expect(
      violations((from, to) => ![homes[to] ?? ""].flat().some((home) => from.startsWith(home))),
    ).to.deep.equal([]);
  });
});
