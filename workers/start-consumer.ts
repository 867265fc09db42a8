import type { Log } from "../shared/log.ts";
import type { Consumer, ConsumerOptions, EventLog } from "../shared/ports/event-log.ts";
import type { Platform } from "../shared/ports/platform.ts";
import { untilDone } from "./back-off.ts";

export interface RevokerConsumerOptions extends ConsumerOptions {
  readonly eventLog: Pick<EventLog, "ensureTopics" | "startConsumer">;
  readonly platform: Pick<Platform, "timers" | "randomness">;
  readonly log: Log;
}

export interface RevokerConsumer {
  hasJoined(): boolean;
  close(): Promise<void>;
}

const lookAtTopicsMs = 5_000;

/**
 * Makes the topics and joins the group, as often as it takes: the log may come after the worker. Makes them again while
 * it is out of its group: without them it never comes back.
 */
export function startRevokerConsumer(options: RevokerConsumerOptions): RevokerConsumer {
  const { eventLog, platform, log } = options;
  const stop = new AbortController();
  let consumer: Consumer | undefined;

  const begun = untilDone(
    async () => {
      await eventLog.ensureTopics();
      consumer = await eventLog.startConsumer(options);
      log.info("revoker.started");
    },
    {
      platform,
      signal: stop.signal,
      onFailure: (err, attempt) => {
        if (attempt === 1) log.warn("revoker.start-failed", { err });
        else log.debug("revoker.start-failed", { attempt, err });
      },
    },
  );

  async function keepTopics(): Promise<void> {
    await begun;
    while (!stop.signal.aborted) {
      await platform.timers.sleep(lookAtTopicsMs, stop.signal);
      if (stop.signal.aborted || consumer?.hasJoined() !== false) continue;
      await eventLog.ensureTopics().catch((err: unknown) => log.debug("revoker.topics-unsure", { err }));
    }
  }
  const kept = keepTopics();

  return {
    hasJoined: () => consumer?.hasJoined() ?? false,
    async close() {
      stop.abort();
      await begun;
      await consumer?.close();
      await kept;
    },
  };
}
