import type { KeyUpdates } from "../api/keys/key-watch.ts";
import { type RunningApi, startApi } from "../api/start-api.ts";
import type { KeySet } from "../api/tokens/keys.ts";
import { createArgon2Hasher } from "../api/users/password-hasher.ts";
import { silentAudit } from "../shared/audit/audit.ts";
import { createInProcessDatabaseServer } from "../shared/in-process/database.ts";
import { createInProcessEventLog } from "../shared/in-process/event-log.ts";
import { createInProcessFailureCounters } from "../shared/in-process/failure-counters.ts";
import { createInProcessStoreServer } from "../shared/in-process/revocation-store.ts";
import { createClosers, type Running } from "../shared/lifecycle.ts";
import type { Log } from "../shared/log.ts";
import type { Platform } from "../shared/ports/platform.ts";
import { startWorker } from "../workers/start-worker.ts";
import { createOperator, type EmbeddedClient } from "./oauth-client.ts";
import { type Credentials, createPeople, inventPassword, type Person } from "./people.ts";
import type { EmbeddedSettings } from "./settings.ts";

export interface Embedded extends Running {
  /** Of the two API instances. */
  readonly urls: readonly [string, string];
  readonly administrator: Credentials;
  readonly users: readonly Person[];
  readonly client: EmbeddedClient;
}

export interface EmbeddedOptions {
  readonly settings: EmbeddedSettings;
  readonly platform: Platform;
  readonly log: Log;
  readonly keys: KeySet;
  readonly keyUpdates?: KeyUpdates | undefined;
}

/** The whole system in one process: a worker and two API instances on parts that live in memory and end with it. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { settings, platform, log, keys, keyUpdates } = options;
  const hasher = createArgon2Hasher();
  const administrator: Credentials = {
    email: settings.ADMIN_EMAIL ?? "admin@example.com",
    password: settings.ADMIN_PASSWORD ?? inventPassword(platform),
  };
  const database = createInProcessDatabaseServer(platform);
  const store = createInProcessStoreServer(platform);
  const eventLog = createInProcessEventLog(platform);
  const failureCounters = createInProcessFailureCounters();
  const connect = () => ({ database: database.connect(), store: store.connect(), eventLog });
  const closers = createClosers(log);

  function startInstance(port: number): Promise<RunningApi> {
    return startApi({
      settings: {
        ...settings,
        PORT: port,
        ADMIN_EMAIL: administrator.email,
        ADMIN_PASSWORD: administrator.password,
      },
      platform,
      log,
      keys,
      keyUpdates,
      hasher,
      openFailureCounters: () => failureCounters,
      parts: connect(),
      withProcessMetrics: false,
    });
  }

  try {
    const worker = await startWorker({
      settings: {
        namespace: settings.NAMESPACE,
        issuer: settings.TOKEN_ISSUER,
        syncIntervalMs: settings.SYNC_INTERVAL_MS,
        holds: settings,
        auditRetentionDays: settings.AUDIT_RETENTION_DAYS,
      },
      platform,
      log,
      parts: connect(),
    });
    closers.add("worker", () => worker.close());
    const first = await startInstance(settings.PORT);
    closers.add("first API instance", () => first.close());
    const second = await startInstance(settings.PORT === 0 ? 0 : settings.PORT + 1);
    closers.add("second API instance", () => second.close());
    const users = await createPeople({ ...platform, hasher, users: database.connect().users });
    const client = await createOperator({
      ...platform,
      ...database.connect(),
      audit: silentAudit,
      actor: "npm start",
      hasher,
    });
    await Promise.all([first.whenReady(), second.whenReady()]);

    const ended = Promise.all([worker.closed, first.closed, second.closed]);
    return {
      urls: [first.url, second.url],
      administrator,
      users,
      client,
      closed: ended.then(() => closers.close()),
      close: () => closers.close(),
      get open() {
        return closers.open;
      },
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}
