import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { Counter, Gauge } from "prom-client";
import { parse } from "yaml";
import { z } from "zod";
import { createMetrics } from "../../../shared/metrics.ts";

const docs = join(import.meta.dirname, "..", "..", "..", "docs");
const runbook = readFileSync(join(docs, "runbook.md"), "utf8");

const ruleSchema = z.strictObject({
  alert: z.string().regex(/^Quash[A-Za-z]+$/),
  expr: z.string().min(1),
  for: z
    .string()
    .regex(/^\d+[smh]$/)
    .optional(),
  labels: z.strictObject({ severity: z.enum(["critical", "warning"]) }),
  annotations: z.strictObject({ summary: z.string().endsWith("."), runbook: z.string() }),
});
const fileSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(ruleSchema).min(1) })).min(1),
});

const { groups } = fileSchema.parse(parse(readFileSync(join(docs, "alerts.yml"), "utf8")));
const rules = groups.flatMap((group) => group.rules);

interface ExportedMetric {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
}

/** Everything that a series can be called, as Prometheus stores it. */
const series = new Map<string, ExportedMetric>(
  Object.values(createMetrics({ withProcessMetrics: false }))
    .flatMap((member: unknown) => (member instanceof Map ? [...member.values()] : [member]))
    .flatMap((metric: unknown) => seriesOf(metric)),
);

function seriesOf(metric: unknown): [string, ExportedMetric][] {
  const named = z.object({ name: z.string(), labelNames: z.array(z.string()) }).safeParse(metric);
  if (!named.success) return [];
  const { name, labelNames: labels } = named.data;
  const kind = metric instanceof Counter ? "counter" : metric instanceof Gauge ? "gauge" : "histogram";
  if (kind !== "histogram") return [[name, { kind, labels }]];
  const suffixes = ["_bucket", "_sum", "_count"];
  return suffixes.map((suffix) => [`${name}${suffix}`, { kind, labels: [...labels, "le"] }]);
}

/** Added to every series when it is scraped. */
const scrapeLabels = ["instance", "job"];
const functions = ["sum", "max", "min", "increase", "rate", "delta", "absent", "histogram_quantile", "time"];
const keywords = ["by", "or", "and", "unless", "offset"];

const withoutValues = (expr: string) =>
  expr.replaceAll(/"[^"]*"/g, "").replaceAll(/\b\d+(\.\d+)?[smhd]?\b/g, "");
const namesIn = (expr: string) => withoutValues(expr).match(/[a-z_][a-z0-9_]*/gi) ?? [];
const metricsIn = (expr: string) => namesIn(expr).filter((name) => series.has(name));
const labelsIn = (expr: string) =>
  [...expr.matchAll(/\bby \(([^)]*)\)/g), ...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = ""]) =>
    namesIn(list),
  );

describe("the alert rules", () => {
  it("are there, each under a name of its own", () => {
    expect(rules).to.have.length.above(12);
    expect(new Set(rules.map(({ alert }) => alert)).size).to.equal(rules.length);
  });

  it("watch what a person has to know of", () => {
    const watched = new Set(rules.flatMap(({ expr }) => metricsIn(expr)));
    expect([...watched]).to.include.members([
      "revocation_replica_accepting",
      "revocation_replica_staleness_seconds",
      "revocation_propagation_seconds_bucket",
      "revocation_replica_resyncs_total",
      "revocation_oldest_pending_seconds",
      "revocation_outbox_oldest_seconds",
      "revocation_kafka_consumer_lag",
      "revocation_dlq_total",
      "revocation_dlq_publish_failures_total",
      "revocation_events_possibly_lost_total",
      "revocation_store_repairs_total",
      "revocation_divergences_total",
    ]);
  });

  for (const { alert, expr, annotations } of rules) {
    describe(alert, () => {
      it("names metrics that exist, and nothing that nobody knows", () => {
        expect(metricsIn(expr)).to.have.length.above(0);
        const known = new Set([...functions, ...keywords, ...series.keys(), ...labelsIn(expr)]);
        expect(namesIn(expr).filter((name) => !known.has(name))).to.deep.equal([]);
      });

      it("uses labels that its metrics have", () => {
        const had = [...scrapeLabels, ...metricsIn(expr).flatMap((name) => series.get(name)?.labels ?? [])];
        expect(labelsIn(expr).filter((label) => !had.includes(label))).to.deep.equal([]);
      });

      it("asks of a counter how it grows, and of nothing else", () => {
        const grown = [...expr.matchAll(/\b(?:increase|rate)\((\w+)\[/g)].map(([, name = ""]) => name);
        expect(grown.filter((name) => series.get(name)?.kind === "gauge")).to.deep.equal([]);
        const counters = metricsIn(expr).filter((name) => series.get(name)?.kind === "counter");
        expect(counters.filter((name) => !grown.includes(name))).to.deep.equal([]);
      });

      it("closes every bracket that it opens", () => {
        expect(openBracketsOf(expr)).to.equal("");
      });

      it("has an entry in the runbook: what it means, what users see, what to look at, what to do", () => {
        expect(annotations.runbook).to.equal(`docs/runbook.md#${alert.toLowerCase()}`);
        const entry = runbook.split(`\n## ${alert}\n`)[1]?.split("\n## ")[0] ?? "";
        const points = [...entry.matchAll(/^- \*\*([A-Za-z ]+):\*\* \S/gm)].map(([, point]) => point);
        expect(points).to.deep.equal(["Means", "Users see", "Look at", "Do"]);
      });
    });
  }
});

describe("the runbook", () => {
  it("has no entry without an alert", () => {
    const entries = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(entries).to.have.members(rules.map(({ alert }) => alert));
  });

  it("names only metrics that exist", () => {
    const named = [...runbook.matchAll(/`(revocation_[a-z_]+)`/g)].map(([, name = ""]) => name);
    const known = (name: string) => series.has(name) || series.has(`${name}_bucket`);
    expect(named).to.have.length.above(5);
    expect(named.filter((name) => !known(name))).to.deep.equal([]);
  });
});

/** What is left when every pair has gone. */
function openBracketsOf(expr: string): string {
  let brackets = expr.replaceAll(/[^()[\]{}]/g, "");
  for (let before = ""; before !== brackets; ) {
    before = brackets;
    brackets = brackets.replaceAll(/\(\)|\[\]|\{\}/g, "");
  }
  return brackets;
}
