import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { it } from "mocha";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { silentLog } from "../../shared/log.ts";
import { createMetrics } from "../../shared/metrics.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { differingBuckets, digestsOf } from "../../shared/revocation/digest.ts";
import { createFingerprinter } from "../../shared/revocation/fingerprint.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { createCompare } from "../../workers/pruner/compare.ts";
import { digestsOfLedger } from "../../workers/pruner/ledger-contents.ts";
import { createWriteRevocation } from "../../workers/revoker/write-revocation.ts";
import { useOwnRedis } from "../support/own-redis.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";

describeUnlessMissing("compare, on a Redis server", missingPrograms(["redis-server"]), () => {
  const own = useOwnRedis();
  const platform = createPlatform();
  const names = { fingerprint: createFingerprinter("own"), ownIssuer: "own" };

  it("puts back what was taken out of the buckets and out of the indexes, and the parties agree again", async () => {
    await own().server.start();
    const store = await own().connectValid();
    const { ledger, sessions } = createInProcessDatabaseServer().connect();
    await ledger.writeFence("first");
    await ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
    for (let user = 0; user < 50; user += 1) await revoke(store, ledger, sessions);
    const differing = async () =>
      differingBuckets(
        await digestsOfLedger({ ledger, names }, platform.clock.wallMs()),
        await digestsOf(store.load(), platform.clock.wallMs()),
      );
    expect(await differing()).to.deep.equal([]);

    await own().withClient(async (redis) => {
      const prefix = `{${own().namespace}}:`;
      const [generation = ""] = await redis.keys(`${prefix}cut-offs:*`);
      const [subject = Buffer.alloc(0)] = await redis.hkeysBuffer(generation);
      await redis.hdel(generation, subject);
      const [bucket = ""] = await redis.keys(`${prefix}tokens:*`);
      const records = await redis.getBuffer(bucket);
      await redis.set(bucket, records?.subarray(20) ?? "", "KEEPTTL");
      await redis.del(`${prefix}index:tokens`);
    });
    expect(await differing()).to.have.length.above(1);

    const metrics = createMetrics({ withProcessMetrics: false });
    const compare = createCompare({ ledger, store, platform, names, log: silentLog, metrics });
    await compare(new AbortController().signal);
    expect(await differing()).to.deep.equal([]);
  });

  async function revoke(
    store: RevocationStore,
    ledger: ReturnType<ReturnType<typeof createInProcessDatabaseServer>["connect"]>["ledger"],
    sessions: ReturnType<ReturnType<typeof createInProcessDatabaseServer>["connect"]>["sessions"],
  ): Promise<void> {
    const subject = randomUUID();
    const nowMs = platform.clock.wallMs();
    const recorded = { subject, sid: randomUUID(), epoch: 0, issuedAtMs: nowMs, revokedBy: null };
    await sessions.recordToken({ ...recorded, jti: randomUUID(), expiresAtMs: nowMs + 600_000 });
    const event = {
      id: randomUUID(),
      source: "own",
      type: "user.deactivated",
      timeMs: nowMs,
      subject,
      details: { epoch: 1 },
    } as const;
    await ledger.insertPending([pendingRowOfOwnEvent(event)]);
    const rules = { subject, external: null, jti: null, epoch: 1, notBefore: null, unrecorded: false };
    await createWriteRevocation({ ledger, store, clock: platform.clock, names })({
      row: { eventId: event.id, appliedAtMs: null },
      plan: { ...rules, marks: [{ by: "epoch", subject, belowEpoch: 1 }], marksMore: true, namedToken: null },
      first: undefined,
      heartbeat: () => Promise.resolve(),
    });
  }
});
