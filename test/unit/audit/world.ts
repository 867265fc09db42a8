import { createAuditRecorder } from "../../../shared/audit/audit-recorder.ts";
import {
  type Verification,
  type VerifyAuditOptions,
  verifyAudit,
} from "../../../shared/audit/verify-audit.ts";
import { createInProcessDatabaseServer } from "../../../shared/in-process/database.ts";
import { silentLog } from "../../../shared/log.ts";
import { createMetrics } from "../../../shared/metrics.ts";
import type { AuditRecord, AuditStore, RegisterEntry } from "../../../shared/ports/audit-store.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

export interface Tampering {
  readonly records?: (records: AuditRecord[]) => AuditRecord[];
  readonly register?: (entries: RegisterEntry[]) => RegisterEntry[];
}

const retentionMs = 365 * 86_400_000;

export type AuditWorld = ReturnType<typeof createAuditWorld>;

/** A database that a test can switch off and tamper with, and recorders that write to it. */
export function createAuditWorld() {
  const platform = createManualPlatform();
  const server = createInProcessDatabaseServer();
  const { audit: store } = server.connect();
  const metrics = createMetrics({ withProcessMetrics: false });

  return {
    platform,
    server,
    store,
    metrics,
    startRecorder(options: { readonly store?: AuditStore; readonly maxWaiting?: number } = {}) {
      return createAuditRecorder({
        ...platform,
        store,
        process: "api",
        instanceId: "i1",
        log: silentLog,
        metrics,
        ...options,
      });
    },
    async records(): Promise<AuditRecord[]> {
      return store.listByChain({ limit: 100_000 });
    },
    async verify(
      options: Partial<VerifyAuditOptions> = {},
      tampering: Tampering = {},
    ): Promise<Verification> {
      const nowMs = platform.clock.wallMs();
      return verifyAudit(tampered(store, tampering), { nowMs, retentionMs, ...options });
    },
    async findings(options: Partial<VerifyAuditOptions> = {}, tampering: Tampering = {}): Promise<string[]> {
      const { findings } = await this.verify(options, tampering);
      return findings.map(
        ({ chain, place, detail }) => `${chain === "register" ? chain : "chain"} ${place} ${detail}`,
      );
    },
  };
}

/** A store in which some records and entries are not as they were written, or not there. */
function tampered(store: AuditStore, changes: Tampering): AuditStore {
  const { records = (given) => given, register = (given) => given } = changes;
  return {
    ...store,
    listByChain: async ({ after, limit }) => {
      const all = records(await store.listByChain({ limit: 100_000 }));
      const from = after === undefined ? 0 : all.findIndex((one) => isSamePlace(one, after)) + 1;
      return all.slice(from, from + limit);
    },
    listRegister: async ({ after = 0, limit }) => {
      const all = register(await store.listRegister({ limit: 100_000 }));
      return all.filter(({ place }) => place > after).slice(0, limit);
    },
  };
}

function isSamePlace(one: { chain: string; seq: number }, other: { chain: string; seq: number }): boolean {
  return one.chain === other.chain && one.seq === other.seq;
}
