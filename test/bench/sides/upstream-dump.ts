import { randomUUID } from "node:crypto";
import { holdsOff } from "../../../shared/hold-settings.ts";
import { createGuardAdministrators } from "../../../shared/holds/guard-administrators.ts";
import { createHoldRule } from "../../../shared/holds/hold-rule.ts";
import { silentLog } from "../../../shared/log.ts";
import { connectMongo } from "../../../shared/mongo/database.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { createCoalescedAdd, createCoalescedDatabase } from "../../../workers/coalesced-ports.ts";
import { runInOrder } from "../../../workers/in-order.ts";
import { createApplyEvent } from "../../../workers/revoker/apply-event.ts";
import { receiveEvent } from "../../../workers/revoker/received-event.ts";
import type { Repetition } from "../contest.ts";
import { issuer } from "./revocations.ts";
import { openStore, type StorePlace } from "./store.ts";

export interface DumpParams extends StorePlace {
  readonly mongoUrl: string;
  readonly users: number;
}

/** As many as the revoker has in hand. */
const eventsAtOnce = 400;
const lifetimeMs = 900_000;
const platform = createPlatform();

export const sides = {
  together: (params: DumpParams) => prepare(params, eventsAtOnce),
  /** The same calls, those of one event after those of the other. */
  oneByOne: (params: DumpParams) => prepare(params, 1),
};

async function prepare(params: DumpParams, atOnce: number) {
  const { mongoUrl, namespace } = params;
  const direct = await connectMongo({ url: mongoUrl, namespace, log: silentLog, ...platform });
  await direct.migrate();
  const store = await openStore(params);
  const { incarnation } = await store.readState();
  await direct.ledger.writeFence(incarnation ?? "");
  const isJoined = atOnce > 1;
  const database = isJoined ? createCoalescedDatabase(direct) : direct;
  const { users, safeguards } = database;
  const { applyEvent } = createApplyEvent({
    ...database,
    holdRule: createHoldRule({ safeguards, ...platform, settings: holdsOff }),
    guardAdministrators: createGuardAdministrators({ ...platform, users, safeguards }),
    namespace,
    store: {
      add: isJoined ? createCoalescedAdd(store) : (additions) => store.add(additions),
      readState: () => store.readState(),
    },
    clock: platform.clock,
    names: { fingerprint: createFingerprinter(issuer), ownIssuer: issuer },
  });

  return async (): Promise<Repetition> => {
    const ids = Array.from({ length: params.users }, () => randomUUID());
    await runInOrder(ids, { limit: 8, keyOf: (id) => id }, signUp);
    const events = ids.map((id) => receiveEvent(deactivationOf(id), { namespace }));
    const startedAt = performance.now();
    await runInOrder(events, { limit: atOnce, keyOf: ({ eventId }) => eventId }, async (received) => {
      await applyEvent(received, { heartbeat: () => Promise.resolve() });
    });
    const tookMs = performance.now() - startedAt;
    const states = await direct.users.findMany(ids);
    const rows = await direct.ledger.findMany(events.map(({ eventId }) => eventId));
    const deactivated = states.filter(({ status }) => status === "deactivated").length;
    const applied = rows.filter(
      ({ appliedAtMs, tokensRevoked }) => appliedAtMs !== null && tokensRevoked === 1,
    );
    return { value: tookMs / params.users, answers: `${deactivated} deactivated, ${applied.length} applied` };
  };

  async function signUp(id: string): Promise<void> {
    const nowMs = platform.clock.wallMs() - 1_000;
    await direct.users.create({
      id,
      email: `${id}@bench.example.com`,
      passwordHash: "none",
      roles: ["user"],
      externalIds: [],
      createdAtMs: nowMs,
    });
    await direct.sessions.recordToken({
      jti: randomUUID(),
      subject: id,
      sid: randomUUID(),
      epoch: 0,
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + lifetimeMs,
      revokedBy: null,
    });
  }
}

function deactivationOf(subject: string) {
  const timeMs = platform.clock.wallMs();
  return {
    id: randomUUID(),
    source: "/bench",
    type: "user.deactivated" as const,
    subject,
    timeMs,
    details: {},
  };
}
