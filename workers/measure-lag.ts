import type { Metrics } from "../shared/metrics.ts";
import type { EventLog } from "../shared/ports/event-log.ts";

export interface MeasureLagDeps {
  readonly eventLog: Pick<EventLog, "readLag">;
  readonly metrics: Pick<Metrics, "consumerLag">;
  /** Whether Kafka answers and the topic is there; nothing is asked before. */
  readonly hasJoined: () => boolean;
}

/** Of the whole group, whoever holds a partition. What cannot be read is not there, so that no alert believes it. */
export function createMeasureLag({ eventLog, metrics: { consumerLag }, hasJoined }: MeasureLagDeps) {
  return async function measureLag(): Promise<void> {
    if (!hasJoined()) return consumerLag.reset();
    try {
      const lags = await eventLog.readLag();
      for (const { topic, partition, records } of lags) consumerLag.set({ topic, partition }, records);
    } catch (error) {
      consumerLag.reset();
      throw error;
    }
  };
}
