import type { Timers } from "../../shared/ports/platform.ts";

/** The sleep of a platform whose timers a test moves. */
export function createSleep(after: Timers["after"]): Timers["sleep"] {
  return (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        cancel();
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const cancel = after(delayMs, wake);
      signal?.addEventListener("abort", wake);
    });
}
