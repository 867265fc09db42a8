import { AppError } from "../../shared/errors.ts";
import type { DeadLetterReason } from "../../shared/events/event.ts";

/** The batch is no longer ours: it is left without a commit, and whoever has the partition does it again. */
export class BatchAbandoned extends Error {
  override readonly name = "BatchAbandoned";
}

export type Disposition =
  | { readonly kind: "abandon" }
  | { readonly kind: "retry" }
  | {
      readonly kind: "dead-letter";
      readonly reason: DeadLetterReason;
      readonly detail: string;
      readonly isBug: boolean;
    };

/** An unknown error may have been a moment's; so often it is tried before it counts as a bug of ours. */
const failuresBeforeBug = 3;

/**
 * What becomes of an event whose handling failed. Infrastructure faults are never dead letters, nor do they count:
 * `failures` is how many others there were, this one included.
 */
export function dispositionOf(error: unknown, failures: number): Disposition {
  if (error instanceof BatchAbandoned) return { kind: "abandon" };
  if (error instanceof AppError) {
    if (error.rule.retriable) return { kind: "retry" };
    if (error.code === "event-rejected" || error.code === "idempotency-conflict") {
      return { kind: "dead-letter", reason: "data-invalid", detail: error.message, isBug: false };
    }
    if (error.code === "last-administrator") {
      return { kind: "dead-letter", reason: "last-administrator", detail: error.message, isBug: false };
    }
  }
  if (failures < failuresBeforeBug) return { kind: "retry" };
  const detail = error instanceof Error ? error.name : "unknown error";
  return { kind: "dead-letter", reason: "internal-error", detail, isBug: true };
}
