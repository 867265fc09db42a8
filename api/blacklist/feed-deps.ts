import type { Log } from "../../shared/log.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { Longest } from "../../shared/revocation/longest.ts";
import type { Position } from "../../shared/revocation/position.ts";
import type { Blacklist } from "./blacklist.ts";
import type { StalenessPolicy } from "./staleness-policy.ts";

export type ResyncReason = "gap" | "reconnected" | "lost" | "other-incarnation";

export interface FeedDeps extends Pick<Platform, "clock" | "timers" | "randomness"> {
  readonly store: RevocationStore;
  readonly blacklist: Blacklist;
  /** New at each start of a process. */
  readonly instanceId: string;
  readonly log: Log;
  readonly syncIntervalMs: number;
  /** How long an answer is waited for; half of `maxStalenessMs` at the most. */
  readonly syncDeadlineMs: number;
  readonly maxStalenessMs: number;
  /** How long the tokens live that this instance issues. */
  readonly tokenLifetimeSeconds: number;
  readonly policy: StalenessPolicy;
  /** Of the routes that have one of their own. The most lenient of all is what the instance registers. */
  readonly routePolicies?: readonly StalenessPolicy[];
  /** How soon a new position is reported; those of one such time go in one call. */
  readonly reportDelayMs?: number;
  /** The longest values of all instances, as the store confirmed them with the lease. */
  readonly onLongest?: (confirmed: Longest) => void;
  /** The addition at `position` has just become enforced; each is told, one after the other. */
  readonly onAdvanced?: (position: Position) => void;
  /** So many entries were met in the feed that somebody else wrote. */
  readonly onForeign?: (count: number) => void;
  /** What had expired is gone. */
  readonly onPruned?: () => void;
  /** An unplanned sync or load. */
  readonly onResync?: (reason: ResyncReason) => void;
}
