import type { Audit, AuditRequest } from "../../shared/audit/audit.ts";
import type { Platform } from "../../shared/ports/platform.ts";

export interface RepeatsDeps extends Pick<Platform, "clock" | "timers"> {
  readonly audit: Audit;
  /** How many keys are told apart. */
  readonly maxKeys?: number;
}

export interface Repeats {
  /**
   * What happens under a key for the first time is recorded at once, what follows is counted and recorded now and then.
   * A key is remembered until `untilMs`; with too many of them the rest are counted together.
   */
  note(key: string, untilMs: number, request: AuditRequest): void;
  close(): void;
}

interface Noted {
  readonly request: AuditRequest;
  readonly untilMs: number;
  count: number;
}

const defaultMaxKeys = 10_000;
const tellEveryMs = 60_000;

/** Memory only, and bounded in records too: whoever asks again and again fills no database. */
export function createRepeats({ audit, clock, timers, maxKeys = defaultMaxKeys }: RepeatsDeps): Repeats {
  const noted = new Map<string, Noted>();
  const others = new Map<AuditRequest["action"], number>();
  let cancel: (() => void) | undefined;

  function note(key: string, untilMs: number, request: AuditRequest): void {
    const known = noted.get(key);
    if (known !== undefined) known.count += 1;
    else if (noted.size >= maxKeys) others.set(request.action, (others.get(request.action) ?? 0) + 1);
    else {
      noted.set(key, { request, untilMs, count: 0 });
      audit.record(request);
    }
    cancel ??= timers.after(tellEveryMs, tellLater);
  }

  function tellLater(): void {
    cancel = undefined;
    tell();
    if (noted.size > 0) cancel = timers.after(tellEveryMs, tellLater);
  }

  function tell(): void {
    const nowMs = clock.wallMs();
    for (const [key, { request, untilMs, count }] of noted) {
      if (count > 0) audit.record({ ...request, requestId: null, count });
      if (untilMs <= nowMs) noted.delete(key);
      else if (count > 0) noted.set(key, { request, untilMs, count: 0 });
    }
    for (const [action, count] of others)
      audit.record({ action, count, reason: "of many, counted together" });
    others.clear();
  }

  return {
    note,
    close() {
      cancel?.();
      tell();
    },
  };
}
