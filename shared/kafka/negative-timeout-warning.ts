/**
 * From Node 24 on, kafkajs 2.2.4 makes Node warn of a negative timeout, once per process: its request queue reckons
 * with "not throttled" as the time -1. The timer is harmless, so this one warning is left out, and no other.
 */
export function hideNegativeTimeoutOfKafkajs(): void {
  const original = Reflect.get(process, "emitWarning");
  process.emitWarning = (...given: unknown[]) => {
    if (given[1] === "TimeoutNegativeWarning" && isFromKafkajs()) process.emitWarning = original;
    else Reflect.apply(original, process, given);
  };
}

function isFromKafkajs(): boolean {
  return /[\\/]kafkajs[\\/]/.test(new Error("where from").stack ?? "");
}
