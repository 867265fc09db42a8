import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createRefuseIfRevoked } from "../../api/middleware/reject-revoked.ts";
import type { VerifiedToken } from "../../api/tokens/verify-once.ts";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import { silentLog } from "../../shared/log.ts";
import { createMetrics } from "../../shared/metrics.ts";
import { createPlatform } from "../../shared/platform.ts";
import { createFingerprinter } from "../../shared/revocation/fingerprint.ts";
import { startWorker } from "../../workers/start-worker.ts";
import { eventually } from "../support/eventually.ts";
import { administrator } from "../support/fleet.ts";
import { createApiWorld } from "../support/test-api.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../support/worker-world.ts";

const namesIn = (text: string) => [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);

/** By series, as it stands in the text. */
function valuesIn(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

function anyToken(): VerifiedToken {
  const words = new Uint32Array(4);
  const claims = {
    iss: "i",
    aud: "a",
    sub: "s",
    client_id: "c",
    iat: 1,
    exp: 2,
    jti: "j",
    sid: "s",
    epoch: 0,
    roles: [],
  };
  return { claims, names: { subject: words, token: words } };
}

describe("metrics of a process", () => {
  it("are its own: what the other one measures is not there, not even as zero", async () => {
    const namesOf = async (of?: "api" | "worker") =>
      namesIn(await createMetrics({ withProcessMetrics: false, ...(of && { of }) }).text());
    const [api, worker, all] = [await namesOf("api"), await namesOf("worker"), await namesOf()];
    expect(worker.filter((name) => name.startsWith("revocation_replica_"))).to.deep.equal([]);
    expect(api).to.not.include.members(["revocation_dlq_total"]).and.not.include("revocation_outbox_events");
    expect([...new Set([...api, ...worker])].sort()).to.deep.equal(all.sort());
    const shared = api.filter((name) => worker.includes(name));
    expect(shared).to.have.members([
      "audit_dropped_total",
      "revocation_divergences_total",
      "revocation_holds_total",
      "revocation_last_comparison_timestamp_seconds",
    ]);
  });

  it("of an API instance say whether it accepts tokens, and where it stands", async () => {
    const world = await createApiWorld({ settings: { MAX_STALENESS_MS: 500 } });
    const worker = await world.startWorker();
    const one = await world.startApi();
    const values = async () => valuesIn(await (await fetch(`${one.url}/metrics`)).text());
    const accepting = async () => (await values()).get("revocation_replica_accepting");
    await eventually(async () => expect(await accepting()).to.equal(1));
    await worker.close();
    world.storeServer.setAvailable(false);
    await eventually(async () => expect(await accepting()).to.equal(0));
    expect((await values()).get("revocation_replica_last_sequence")).to.be.a("number");
    expect(namesIn(await (await fetch(`${one.url}/metrics`)).text())).to.not.include("revocation_dlq_total");
    await world.close();
  });

  it("of an API instance count each addition that reached it, also those that came together, and each check", async () => {
    const world = await createApiWorld();
    await world.startWorker();
    const one = await world.startApi();
    const valueOf = async (name: string) =>
      valuesIn(await (await fetch(`${one.url}/metrics`)).text()).get(name) ?? 0;
    const store = world.connectParts().store;
    const before = await valueOf("revocation_propagation_seconds_count");
    world.storeServer.dropAnnouncements(() => true);
    for (const name of ["a", "b", "c"]) {
      const token = createFingerprinter("test")("test", name);
      await store.add([{ kind: "token", token, exp: Math.floor(Date.now() / 1_000) + 600 }]);
    }
    await eventually(async () =>
      expect(await valueOf("revocation_propagation_seconds_count")).to.equal(before + 3),
    );
    const token = await one.signIn(administrator.email, administrator.password);
    for (let request = 1; request <= 17; request += 1) await one.call("/me", { token });
    expect(await valueOf("revocation_check_seconds_count")).to.equal(2);
    expect(await valueOf("revocation_check_seconds_sum")).to.be.within(0, 0.1);
    await world.close();
  });

  it("count each check that was accepted once, from zero, however often they are asked for", async () => {
    const metrics = createMetrics({ withProcessMetrics: false, of: "api" });
    const noteRefusal = () => undefined;
    const refuse = createRefuseIfRevoked({ metrics, noteRefusal, blacklist: { isRevoked: () => null } });
    const accepted = async () =>
      valuesIn(await metrics.text()).get('revocation_checks_total{result="accepted"}');
    const { claims, names } = anyToken();

    const counts = [await accepted()];
    for (const checks of [3, 0, 1]) {
      for (let check = 0; check < checks; check += 1) refuse({ claims, names });
      counts.push(await accepted());
    }
    expect(counts).to.deep.equal([0, 3, 3, 4]);
  });

  it("of a worker say which engine answers", async () => {
    const platform = createPlatform();
    const stores = createInProcessStoreServer(platform);
    const worker = await startWorker({
      settings: {
        namespace: "test",
        issuer: "https://quash.test",
        syncIntervalMs: 100,
        health: { host: "127.0.0.1", port: 0 },
      },
      platform,
      log: silentLog,
      parts: {
        database: createInProcessDatabaseServer().connect(),
        store: stores.connect(),
        eventLog: new InProcessEventLogServer(platform).connect(),
      },
    });
    const values = async () => valuesIn(await (await fetch(`${worker.healthUrl}/metrics`)).text());
    const up = async () => {
      const all = await values();
      return ["kafka", "mongodb", "redis"].map((name) => all.get(`revocation_${name}_up`));
    };
    try {
      await eventually(async () => expect(await up()).to.deep.equal([1, 1, 1]));
      stores.setAvailable(false);
      expect(await up()).to.deep.equal([1, 1, 0]);
      expect((await values()).has("revocation_replica_staleness_seconds")).to.equal(false);
    } finally {
      await worker.close();
    }
  });
});

describe("metrics of the workers", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
  });
  afterEach(() => world.close());

  const values = async () => valuesIn(await world.metrics.text());
  const lagIn = (all: Map<string, number>) =>
    [...all].filter(([name]) => name.startsWith("revocation_kafka_consumer_lag"));

  it("show the lag of every partition, and none that is not known", async () => {
    await world.start();
    await world.platform.advance(10_000);
    expect(lagIn(await values()).map(([, lag]) => lag)).to.deep.equal([0, 0, 0, 0, 0, 0]);
    world.databaseServer.setAvailable(false);
    await world.publish(world.ownEvent("user.deactivated", "carol", { epoch: 1 }));
    await world.platform.advance(10_000);
    expect(lagIn(await values()).reduce((sum, [, lag]) => sum + lag, 0)).to.equal(1);
    expect(lagIn(await values())[0]?.[0]).to.match(/topic="test\.user-events",partition="\d"/);
    world.logServer.setAvailable(false);
    await world.platform.advance(10_000);
    expect(lagIn(await values())).to.deep.equal([]);
  });

  it("show how long the oldest event has waited for Kafka, although it was applied", async () => {
    await world.start();
    world.logServer.setAvailable(false);
    const user = await world.addUser();
    await world.changeUser(user.id, "user.deactivated");
    await world.platform.advance(20_000);
    const waiting = await values();
    expect(waiting.get("revocation_outbox_oldest_seconds")).to.be.within(15, 25);
    expect(waiting.get("revocation_oldest_pending_seconds")).to.equal(0);
    world.logServer.setAvailable(true);
    await world.platform.advance(5_000);
    expect((await values()).get("revocation_outbox_oldest_seconds")).to.equal(0);
  });

  it("show how long it took until a revocation was applied, by whichever way, and not that it came twice", async () => {
    await world.start();
    const applied = async () => {
      const all = await values();
      return ["count", "sum"].map((what) => all.get(`revocation_applied_seconds_${what}`));
    };
    const [first, second] = [await world.addUser(), await world.addUser()];
    const event = await world.changeUser(first.id, "user.deactivated");
    await world.publish(event);
    await world.publish(event);
    expect(await applied()).to.deep.equal([1, 0]);
    world.logServer.setAvailable(false);
    await world.changeUser(second.id, "user.deactivated");
    await world.platform.advance(5_000);
    const [count, sum] = await applied();
    expect(count).to.equal(2);
    expect(sum).to.be.within(0.5, 5);
  });

  it("show how often a worker lost its place in the group, and for how long", async () => {
    await world.start();
    const count = async () => (await values()).get("revocation_kafka_rebalance_seconds_count");
    expect(await count()).to.equal(0);
    await world.start();
    expect(await count()).to.equal(1);
  });

  it("show no age that cannot be read any more", async () => {
    const gauges = ["revocation_outbox_oldest_seconds", "revocation_oldest_pending_seconds"];
    await world.start();
    await world.platform.advance(2_000);
    const before = await values();
    expect(gauges.map((name) => before.get(name))).to.deep.equal([0, 0]);
    world.databaseServer.setAvailable(false);
    await world.platform.advance(2_000);
    const after = await values();
    expect(gauges.filter((name) => after.has(name))).to.deep.equal([]);
  });

  it("count the attempts at a dead letter that cannot be written, and the letter once it is", async () => {
    const parts = world.connectParts();
    let isBroken = true;
    const eventLog = intercept(parts.eventLog, "publish", (topic) => {
      if (isBroken && topic === "dead-letters") throw new Error("the topic is gone");
    });
    await world.start({ eventLog });
    await world.eventLog.publish("events", [{ key: null, value: null, headers: {} }]);
    await world.platform.advance(10_000);
    const failing = await values();
    expect(failing.get("revocation_dlq_publish_failures_total")).to.be.at.least(3);
    expect(failing.get('revocation_dlq_total{reason="not-json"}')).to.equal(0);
    isBroken = false;
    await world.platform.advance(5_000);
    expect((await values()).get('revocation_dlq_total{reason="not-json"}')).to.equal(1);
  });

  it("count dead letters and repairs from zero, by reason and cause", async () => {
    await world.start();
    await world.platform.advance(2_000);
    await world.eventLog.publish("events", [{ key: null, value: null, headers: {} }]);
    await world.platform.advance(1_000);
    const all = await values();
    expect(all.get('revocation_dlq_total{reason="not-json"}')).to.equal(1);
    expect(all.get('revocation_dlq_total{reason="internal-error"}')).to.equal(0);
    expect(all.get('revocation_store_repairs_total{cause="no-incarnation"}')).to.equal(1);
    expect(all.get('revocation_store_repairs_total{cause="clock-stepped"}')).to.equal(0);
  });
});
