import { expect } from "chai";
import { it } from "mocha";
import { z } from "zod";
import { startNode } from "../support/node-process.ts";
import { addressesOf, describeWithServices } from "../support/services.ts";
import { benchmarks } from "./benchmarks/index.ts";

const spread = { name: z.string().min(1), median: z.number(), min: z.number(), max: z.number() };
const rowSchema = z.object({
  bench: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  baseline: z.object(spread),
  ours: z.object(spread),
  unit: z.string().min(1),
  // So little is measured in the short form that a side may come out at nothing.
  ratio: z.number().nullable(),
  repetitions: z.int().positive(),
  machine: z.object({ node: z.string(), cores: z.int() }),
});

describeWithServices("npm run bench", ["redis", "mongo", "kafka"], (services) => {
  it("runs every benchmark, whose sides answer alike, and prints a row for each baseline", async function () {
    this.timeout(240_000);
    const run = startNode(["test/bench/main.ts", "--short", "--json"], {
      environment: { HOME: process.env["HOME"] ?? "", ...addressesOf(services) },
    });
    expect(await run.ended, run.output()).to.equal(0);
    const rows = run
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => rowSchema.parse(JSON.parse(line)));
    const names = new Set(rows.map(({ bench }) => bench));
    expect([...names].toSorted((a, b) => a.localeCompare(b))).to.deep.equal(
      benchmarks.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b)),
    );
  });
});
