import { expect } from "chai";
import { describe, it } from "mocha";
import { checkLog } from "../../chaos/check/check-log.ts";
import type { LogEntry } from "../../chaos/log-entry.ts";
import { entry } from "./log-builder.ts";

/** Deactivated at 10 s, applied at 11 s: dead from 17 s on. */
const clean: readonly LogEntry[] = [
  entry.run(),
  entry.mint(1_000),
  ...entry.probes(2_000, 200),
  entry.revoke(10_000),
  entry.receipt(11_000),
  ...entry.probes(12_000, 200),
  ...entry.probes(20_000, 401),
  entry.final(50_000),
  ...entry.probes(51_000, 401),
];

/** What the checker finds once these are added. */
function found(...more: readonly LogEntry[]): string[] {
  return checkLog([...clean, ...more]).violations.map(({ invariant }) => invariant);
}

describe("the checker of chaos", () => {
  it("finds nothing where every promise was kept, and counts what could have shown it", () => {
    const verdict = checkLog(clean);
    expect(verdict.violations).to.deep.equal([]);
    expect(verdict).to.include({ revoked_probes: 2, innocent_probes: 1, operations: 11 });
  });

  describe("of a revoked token", () => {
    it("finds one that is accepted after the bound (I1)", () => {
      const verdict = checkLog([...clean, entry.probe(17_001, 200)]);
      expect(verdict.violations.map(({ invariant }) => invariant)).to.deep.equal(["I1"]);
      expect(verdict.accepted_after_bound).to.equal(1);
    });

    it("allows one that is accepted within the bound", () => {
      expect(found(entry.probe(16_999, 200))).to.deep.equal([]);
    });

    it("finds one that is accepted after its receipt says enforced, within the bound too (I1)", () => {
      const enforced = entry.receipt(11_000, { status: "enforced", enforced_at: 13_000 });
      expect(found(enforced, entry.probe(13_001, 200))).to.deep.equal(["I1"]);
    });

    it("finds one that was given out while the user was being deactivated (I1)", () => {
      expect(found(entry.mint(10_005, "late"), entry.probe(20_000, 200, { token: "late" }))).to.deep.equal([
        "I1",
      ]);
    });

    it("does not take a revocation for one that nobody accepted", () => {
      const refused = entry.revoke(3_000, { outcome: "refused", user: "v", event: "refused" });
      const receipt = entry.receipt(4_000, { event: "refused", user: "v" });
      expect(
        found(entry.innocent(), refused, receipt, entry.probe(30_000, 200, { token: "x" })),
      ).to.deep.equal([]);
    });
  });

  describe("of an innocent", () => {
    it("finds one who is refused before anybody revoked anything (I4)", () => {
      const verdict = checkLog([...clean, entry.probe(5_000, 401)]);
      expect(verdict.violations.map(({ invariant }) => invariant)).to.deep.equal(["I4"]);
      expect(verdict.innocents_refused).to.equal(1);
    });

    it("finds one who is refused although he signed in after his reactivation (I4)", () => {
      const again = [entry.reactivate(15_000), entry.mint(16_000, "new")];
      expect(found(...again, entry.probe(18_000, 401, { token: "new" }))).to.deep.equal(["I4"]);
    });

    it("allows a 503", () => {
      expect(found(entry.probe(5_000, 503))).to.deep.equal([]);
    });

    it("takes nobody for one whom a call without an answer may still mean", () => {
      const again = [entry.reactivate(15_000), entry.mint(16_000, "new")];
      const unanswered = entry.revoke(9_000, { outcome: "unknown" });
      expect(found(unanswered, ...again, entry.probe(18_000, 401, { token: "new" }))).to.deep.equal([]);
    });

    it("takes nobody for one whom an upstream event may reach after his reactivation", () => {
      const log = [
        ...clean.filter(({ op }) => op !== "revoke" && op !== "receipt"),
        entry.revoke(10_000, { way: "upstream", source_event: "s" }),
        entry.receipt(11_000, { source_event: "s" }),
        entry.reactivate(15_000),
        entry.mint(16_000, "new"),
        entry.probe(18_000, 401, { token: "new" }),
      ];
      const invariants = (entries: readonly LogEntry[]) =>
        checkLog(entries).violations.map(({ invariant }) => invariant);
      expect(invariants(log)).to.deep.equal([]);
      expect(invariants([...log, entry.status(12_000, "deactivated")])).to.deep.equal(["I4"]);
    });
  });

  describe("of an event", () => {
    it("finds one that was accepted and never applied (I2)", () => {
      const verdict = checkLog([...clean, entry.revoke(30_000, { event: "lost", tokens: [] })]);
      expect(verdict.violations.map(({ invariant }) => invariant)).to.include("I2");
      expect(verdict.lost_events).to.equal(1);
    });

    it("allows one that became a dead letter", () => {
      const sent = entry.revoke(30_000, {
        way: "upstream",
        source_event: "odd",
        event: undefined,
        tokens: [],
      });
      expect(found(sent, entry.deadLetter('{"id":"odd"}'))).to.deep.equal([]);
      expect(found(sent)).to.deep.equal(["I2"]);
    });

    it("finds a poisoned one that left no dead letter (I2)", () => {
      expect(found(entry.poison("p"), entry.deadLetter("a p of its own"))).to.deep.equal([]);
      expect(found(entry.poison("p"))).to.deep.equal(["I2"]);
    });
  });

  describe("of a call that was answered 202", () => {
    const late = [
      entry.revoke(20_000, { event: "late", tokens: [] }),
      entry.receipt(26_000, { event: "late" }),
    ];

    it("finds one that was applied too late (I1b)", () => {
      expect(found(...late)).to.deep.equal(["I1b"]);
    });

    it("counts those that it judges", () => {
      expect(checkLog([...clean, ...late]).timed_events).to.equal(2);
      const excused = entry.fault("pause", "redis", [18_000, 21_000]);
      expect(checkLog([...clean, ...late, ...excused]).timed_events).to.equal(1);
    });

    for (const target of ["kafka", "worker-1>kafka", "worker-1", "worker-2>redis", "worker-2>mongo"]) {
      it(`finds it all the time around and after a fault of ${target} too (I1b)`, () => {
        for (const span of [
          [12_000, 40_000],
          [18_000, 21_000],
          [12_000, 19_000],
          [21_000, 24_000],
        ] as const) {
          expect(found(...late, ...entry.fault("kill", target, span)), String(span)).to.deep.equal(["I1b"]);
        }
      });
    }

    it("finds it when Kafka is away and one worker has no way to it, without the other (I1b)", () => {
      const faults = [
        ...entry.fault("kill", "kafka", [12_000, 40_000]),
        ...entry.fault("cut", "worker-1>kafka", [12_001, 40_000]),
        ...entry.fault("kill", "worker-2", [12_002, 40_000]),
      ];
      expect(found(...late, ...faults)).to.deep.equal(["I1b"]);
    });

    for (const target of ["mongo", "redis"]) {
      it(`excuses one that came while there was a fault of ${target}, or soon after`, () => {
        expect(found(...late, ...entry.fault("pause", target, [18_000, 21_000]))).to.deep.equal([]);
        expect(found(...late, ...entry.fault("pause", target, [3_000, 10_001]))).to.deep.equal([]);
        expect(found(...late, ...entry.fault("pause", target, [3_000, 9_999]))).to.deep.equal(["I1b"]);
      });
    }

    describe("with a dead worker", () => {
      const slow = [
        entry.revoke(20_000, { event: "slow", tokens: [] }),
        entry.receipt(27_000, { event: "slow" }),
      ];
      const dead = entry.fault("kill", "worker-1", [15_000, 30_000]);

      it("finds one that takes 7 s (I1b)", () => {
        expect(found(...slow, ...dead)).to.deep.equal(["I1b"]);
      });

      it("excuses it while the other is dead, or away from a store, for part of that time", () => {
        for (const target of ["worker-2", "worker-2>redis", "worker-2>mongo"]) {
          const other = entry.fault("kill", target, [24_000, 24_500]);
          expect(found(...slow, ...dead, ...other), target).to.deep.equal([]);
        }
      });

      it("excuses it while the other is starting, but not once it has had the time (I1b)", () => {
        const starting = entry.fault("kill", "worker-2", [8_000, 14_001]);
        expect(found(...slow, ...dead, ...starting)).to.deep.equal([]);
        const started = entry.fault("kill", "worker-2", [8_000, 13_999]);
        expect(found(...slow, ...dead, ...started)).to.deep.equal(["I1b"]);
      });

      it("excuses it when the other ended by itself, but not when an API instance did (I1b)", () => {
        expect(found(...slow, ...dead, entry.end("worker-2", 22_000))).to.deep.equal([]);
        expect(found(...slow, ...dead, entry.end("api-1", 22_000))).to.deep.equal(["I1b"]);
      });
    });

    it("excuses one that came while both workers were starting", () => {
      const first = [
        entry.revoke(4_000, { event: "first", tokens: [], user: "v" }),
        entry.receipt(10_000, { event: "first", user: "v" }),
      ];
      expect(found(...first)).to.deep.equal([]);
    });

    it("excuses none for a fault between an API instance and Redis (I1b)", () => {
      expect(found(...late, ...entry.fault("cut", "api-1>redis", [18_000, 21_000]))).to.deep.equal(["I1b"]);
    });
  });

  describe("of an instance without Redis", () => {
    const cut = entry.fault("cut", "api-1>redis", [20_000, 30_000]);
    const innocent = entry.innocent();

    it("finds that it accepts somebody after the bound (I7)", () => {
      const verdict = checkLog([...clean, innocent, ...cut, entry.probe(26_001, 200, { token: "x" })]);
      expect(verdict.violations.map(({ invariant }) => invariant)).to.deep.equal(["I7"]);
      expect(verdict.accepted_after_bound).to.equal(1);
    });

    it("allows what it accepts within the bound, and another instance at any time", () => {
      const early = entry.probe(25_999, 200, { token: "x" });
      const elsewhere = entry.probe(27_000, 200, { token: "x", instance: "api-2" });
      expect(found(innocent, ...cut, early, elsewhere)).to.deep.equal([]);
    });
  });

  describe("of the end", () => {
    it("finds an innocent who is not accepted by all (I6)", () => {
      const last = [
        entry.probe(52_000, 200, { token: "x" }),
        entry.probe(52_000, 503, { token: "x", instance: "api-2" }),
      ];
      expect(found(entry.innocent(), ...last)).to.deep.equal(["I6", "I6"]);
    });

    it("finds that who joined accepts what is dead, or was not asked (I6)", () => {
      const joined = entry.joined("api-new", 49_000);
      const asked = (status: number) => entry.probe(52_000, status, { instance: "api-new" });
      expect(found(joined, asked(401))).to.deep.equal([]);
      expect(found(joined, asked(200))).to.include("I6");
      expect(found(joined)).to.deep.equal(["I6"]);
    });

    it("finds that the run broke off", () => {
      expect(checkLog(clean.filter(({ op }) => op !== "final")).violations).to.have.lengthOf(1);
    });

    it("finds that nothing could have been shown on some instance", () => {
      const oneOnly = clean.filter((one) => one.op !== "probe" || one.instance === "api-1");
      const details = checkLog(oneOnly).violations.map(({ detail }) => detail);
      expect(details.filter((detail) => detail.startsWith("on some instance"))).to.have.lengthOf(2);
    });
  });

  it("tells the longest time in which an instance accepted nobody, by the fault that was there", () => {
    const verdict = checkLog([
      ...clean,
      ...entry.fault("cut", "api-1>redis", [4_000, 7_000]),
      entry.probe(4_500, 200),
      entry.probe(7_500, 200),
    ]);
    expect(verdict.longest_refusal_ms).to.equal(3_000);
    expect(verdict.longest_refusal_ms_by_fault).to.deep.equal({ "cut api-1>redis": 3_000 });
  });
});
