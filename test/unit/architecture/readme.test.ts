import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { createRoutes, type RouteDeps } from "../../../api/routes/index.ts";
import { apiSettings } from "../../../api/settings.ts";
import { embeddedSettings } from "../../../embedded/settings.ts";
import { errorTable } from "../../../shared/errors.ts";
import { deadLetterReasons, eventTypes } from "../../../shared/events/event.ts";
import { createMetrics } from "../../../shared/metrics.ts";
import type { Setting } from "../../../shared/settings.ts";
import { workerSettings } from "../../../workers/settings.ts";
import { readmeText, tableBelow } from "../../support/readme.ts";

function settingRow(name: string, setting: Setting<unknown>): string[] {
  const secret = setting.isSecret ? `, \`${name}_FILE\`` : "";
  const users = [
    ["API", apiSettings],
    ["worker", workerSettings],
    ["start", embeddedSettings],
  ] as const;
  const usedBy = users.filter(([, table]) => Object.hasOwn(table, name)).map(([user]) => user);
  return [
    `\`${name}\`${secret}`,
    setting.defaultText === undefined ? "" : `\`${setting.defaultText}\``,
    usedBy.join(", "),
    `${setting.description} (${setting.expected})`,
  ];
}

describe("the README", () => {
  it("has every setting with its default, who reads it, and what it is", () => {
    const settings: Record<string, Setting<unknown>> = {
      ...embeddedSettings,
      ...workerSettings,
      ...apiSettings,
    };
    const expected = Object.entries(settings).map(([name, setting]) => settingRow(name, setting));
    expect(tableBelow("Settings")).to.have.deep.members(expected);
  });

  it("has every error with its status and title", () => {
    const expected = Object.entries(errorTable)
      .filter(([slug]) => slug !== "config-invalid")
      .map(([slug, { status, title, retriable }]) => [
        `\`${slug}\``,
        String(status),
        title,
        retriable ? "yes" : "",
      ]);
    expect(tableBelow("Errors")).to.have.deep.members(expected);
  });

  it("has every route", () => {
    const calls = tableBelow("HTTP").flatMap(([cell = ""]) => [...cell.matchAll(/`([A-Z]+) ([^`?]+)/g)]);
    const written = calls.map(([, method, path]) => `${method} ${path}`);
    expect(written).to.have.members(routes());
  });

  it("has every event type and every reason for a dead letter", () => {
    expect(tableBelow("Kafka").map(([type]) => type)).to.have.members(
      eventTypes.map((type) => `\`${type}\``),
    );
    for (const reason of deadLetterReasons) expect(readmeText()).to.include(`\`${reason}\``);
  });

  it("names only metrics that exist", async () => {
    const exported = await createMetrics({ withProcessMetrics: false }).text();
    const named = new Set(
      [...readmeText().matchAll(/`(revocation_[a-z_]+)`/g)].map(([, name]) => name ?? ""),
    );
    expect(named).to.have.property("size").above(3);
    expect([...named].filter((name) => !exported.includes(`# TYPE ${name} `))).to.deep.equal([]);
  });

  it("names only files that exist", () => {
    const links = [...readmeText().matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? "");
    expect(links).to.have.length.above(10);
    expect(
      links.filter((path) => !existsSync(join(import.meta.dirname, "..", "..", "..", path))),
    ).to.deep.equal([]);
  });

  describe("the table of faults", () => {
    const rows = tableBelow("Faults").filter(([fault = ""]) => fault !== "fault" && !fault.startsWith("---"));

    it("has rows", () => {
      expect(rows).to.have.length.above(60);
    });

    for (const [fault = "", , , heldBy = ""] of rows) {
      it(`names tests that are there: ${fault}`, () => {
        const held = namedTests(heldBy);
        expect(held).to.have.length.above(0);
        for (const { file, titles } of held) {
          expect(file).to.match(/^test\/.+\.(test|contract)\.ts$/);
          expect(titles, file).to.have.length.above(0);
          const text = readFileSync(join(import.meta.dirname, "..", "..", "..", file), "utf8");
          for (const title of titles) expect(text.replaceAll("\\", ""), file).to.include(title);
        }
      });
    }
  });
});

/** `[name](file) "title", "title", [name](file) "title"` */
function namedTests(cell: string): { file: string; titles: string[] }[] {
  return [...cell.matchAll(/\]\(([^)]+)\)([^[]*)/g)].map(([, file = "", rest = ""]) => ({
    file,
    titles: [...rest.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => title),
  }));
}

/** The routes are only listed here, never called, so what they need stays away. */
function routes(): string[] {
  const guards = { bearer: [], admin: [], operator: [], emitter: [] };
  const nothing = new Proxy({} as RouteDeps, { get: () => undefined });
  const router = createRoutes(guards, nothing);
  return router.stack
    .filter(({ methods }) => methods.length > 0)
    .map(({ methods, path }) => `${methods.find((method) => method !== "HEAD") ?? ""} ${String(path)}`);
}
