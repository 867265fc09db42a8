import { expect } from "chai";
import { describe, it } from "mocha";
import { kindOf, linkFaults, roleNames, serviceNames } from "../../chaos/fault-kinds.ts";
import { calm, createSchedule } from "../../chaos/schedule.ts";

const seeds = Array.from({ length: 50 }, (_, seed) => seed);

describe("the schedule of faults", () => {
  it("is the same for the same seed, and another for another", () => {
    const schedule = createSchedule({ seed: 7, seconds: 600 });
    expect(createSchedule({ seed: 7, seconds: 600 })).to.deep.equal(schedule);
    expect(createSchedule({ seed: 8, seconds: 600 })).not.to.deep.equal(schedule);
  });

  it("does everything to everybody within ten minutes, whatever the seed", () => {
    for (const seed of seeds) {
      const kinds = new Set(createSchedule({ seed, seconds: 600 }).map(kindOf));
      const subjects = ["api", "worker", "kafka", "redis", "mongo"];
      const links = ["api", "worker"].flatMap((role) =>
        ["kafka", "redis", "mongo"].map((to) => `${role}>${to}`),
      );
      expect([...kinds], `seed ${seed}`).to.have.members([
        ...subjects.flatMap((subject) => [`kill ${subject}`, `pause ${subject}`]),
        ...links.flatMap((link) => ["cut", "delay", "half-open", "reset"].map((does) => `${does} ${link}`)),
        "flushall",
        "restart-empty",
        "restart-aof",
        "disk-full",
        "duplicate-events",
        "poisoned-events",
      ]);
    }
  });

  it("does every fault of a link to each of its processes, if not in one run then in another", () => {
    const dealt = new Set(
      seeds.flatMap((seed) =>
        createSchedule({ seed, seconds: 600 }).map(({ does, target }) => `${does} ${target}`),
      ),
    );
    const wanted = roleNames.flatMap((role) =>
      serviceNames.flatMap((service) => linkFaults.map((does) => `${does} ${role}>${service}`)),
    );
    expect([...dealt]).to.include.members(wanted);
  });

  it("wipes Redis, fills its disk and touches MongoDB within a minute, whatever the seed", () => {
    for (const seed of seeds) {
      const kinds = createSchedule({ seed, seconds: 60 }).map(kindOf);
      expect(kinds, `seed ${seed}`).to.include("disk-full");
      expect(
        kinds.some((kind) => /flushall|restart-empty/.test(kind)),
        `seed ${seed}`,
      ).to.equal(true);
      expect(
        kinds.some((kind) => /(kill|pause) mongo/.test(kind)),
        `seed ${seed}`,
      ).to.equal(true);
    }
  });

  it("kills and suspends Kafka, and kills a worker and an instance, within a minute, whatever the seed", () => {
    for (const seed of seeds) {
      const kinds = createSchedule({ seed, seconds: 60 }).map(kindOf);
      const wanted = ["kill kafka", "pause kafka", "kill worker", "kill api"];
      expect(kinds, `seed ${seed}`).to.include.members(wanted);
    }
  });

  it("fails a replicated Redis over, and splits it, within 75 seconds, and does nothing else to it", () => {
    for (const seed of seeds) {
      const schedule = createSchedule({ seed, seconds: 75, sentinel: true });
      const ofRedis = schedule.filter(({ target }) => target === "redis").map(({ does }) => does);
      expect(new Set(ofRedis), `seed ${seed}`).to.have.all.keys("fail-over", "split");
    }
  });

  it("leaves one instance that is up without Redis for longer than the bound, however short the run", () => {
    for (const seed of seeds) {
      const schedule = createSchedule({ seed, seconds: 40 });
      const isolation = schedule.find(
        ({ does, target }) => /cut|half-open/.test(does) && /^api.*redis/.test(target),
      );
      const [instance, endsAt] = [
        isolation?.target.slice(0, 5),
        (isolation?.atMs ?? 0) + (isolation?.forMs ?? 0),
      ];
      expect(isolation?.forMs, `seed ${seed}`).to.be.at.least(9_000);
      expect(schedule.filter(({ target, atMs }) => target === instance && atMs <= endsAt)).to.deep.equal([]);
    }
  });

  it("ends every fault while there is time left to converge", () => {
    for (const seed of seeds) {
      const ends = createSchedule({ seed, seconds: 60 }).map(({ atMs, forMs }) => atMs + forMs);
      expect(Math.max(...ends), `seed ${seed}`).to.be.at.most(60_000 - calm.afterMs);
    }
  });
});
