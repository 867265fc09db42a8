import { expect } from "chai";
import { describe, it } from "mocha";
import { importsOf, readSources, type Source } from "../../support/sources.ts";

const sources = new Map(readSources("api", "workers", "shared").map((source) => [source.path, source]));

/** What is loaded before the first line of the entry runs: everything it names, but for `import(...)` and types. */
function loadedAtOnce(entry: string): Set<string> {
  const loaded = new Set<string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    const source = sources.get(path);
    if (source !== undefined) waiting.push(...importsOf(withoutLateImports(source)));
  }
  return loaded;
}

function withoutLateImports({ path, text }: Source): Source {
  return { path, text: text.replaceAll(/\bimport\([^)]*\)|^import type [^;]*;/gm, "") };
}

describe("a process entry", () => {
  for (const entry of ["api/main.ts", "workers/main.ts"]) {
    it(`${entry} reads the settings before it loads what takes time`, () => {
      const loaded = loadedAtOnce(entry);
      expect([...loaded]).to.include.members(["shared/run-process.ts", "shared/settings.ts"]);
      for (const slow of [
        "kafkajs",
        "ioredis",
        "mongoose",
        "koa",
        "prom-client",
        "@node-rs/argon2",
        "zod",
        "jose",
      ])
        expect(loaded.has(slow), slow).to.equal(false);
    });
  }
});
