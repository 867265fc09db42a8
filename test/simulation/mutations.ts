import type { Mutation } from "../support/mutated-copy.ts";

/** Deliberate faults in the product, each of which breaks a promise that the simulation must notice. */
export const mutations: readonly Mutation[] = [
  {
    name: "freshness counts from the answer",
    file: "api/blacklist/blacklist-feed.ts",
    find: "this.#lease.noteAnswer({ sent, incarnation",
    replace: "this.#lease.noteAnswer({ sent: this.#lease.noteSending(), incarnation",
  },
  {
    name: "fresh before the head is reached",
    file: "api/blacklist/lease.ts",
    find: ".filter(({ head }) => head <= position)",
    replace: ".filter(() => true)",
  },
  {
    name: "only the monotonic clock counts",
    file: "api/blacklist/steady-clock.ts",
    find: "return monotonicMs + suspendedMs;",
    replace: "return monotonicMs;",
  },
  {
    name: "no freshness before the token is looked at",
    file: "api/middleware/require-fresh.ts",
    find: "if (feed.isAccepting(policy)) return;",
    replace: "if (feed.isAccepting(policy) || feed.freshness().state === 'stale') return;",
  },
  {
    name: "an announcement is applied wherever the instance stands",
    file: "api/blacklist/feed-cursor.ts",
    find: "this.#place === null || entry.previous !== this.#place.position",
    replace: "this.#place === null",
  },
  {
    name: "the head is noted after the load",
    file: "api/blacklist/load-snapshot.ts",
    find: "position: head }",
    replace: "position: after.head }",
  },
  {
    name: "a cut-off reaches its own epoch",
    file: "api/blacklist/cut-offs.ts",
    find: "return epoch < this.#generations.greatest(subject, epochColumn);",
    replace: "return epoch <= this.#generations.greatest(subject, epochColumn);",
  },
  {
    name: "commit before effect",
    file: "workers/revoker/consumer.ts",
    find: "const applicable = part.flatMap(",
    replace: "await commit(batch, part, retry);\n        const applicable = part.flatMap(",
  },
  {
    name: "a repair writes no fence",
    file: "workers/pruner/repair.ts",
    find: "    await ledger.writeFence(incarnation);\n",
    replace: "",
  },
  {
    name: "rows of an earlier incarnation are not written again",
    file: "workers/pruner/look.ts",
    find: "const outdated = rows.filter((row) => row.incarnation !== incarnation);",
    replace: "const outdated = rows.filter(() => false);",
  },
  {
    name: "silence counts as fenced at once",
    file: "shared/receipts/instance-observer.ts",
    find: "return lastShownAtMs - firstShownAtMs > boundMs(instance.maxStalenessMs);",
    replace: "return lastShownAtMs - firstShownAtMs > 300;",
  },
  {
    name: "a new incarnation proves at once",
    file: "shared/receipts/instance-observer.ts",
    find: "if (view.isFirstIncarnation) return true;",
    replace: "if (view.isFirstIncarnation || view.incarnation !== null) return true;",
  },
  {
    name: "an instance that somebody took away is not missed",
    file: "shared/in-process/store-instances.ts",
    find: "return this.#instances.size === this.#registered;",
    replace: "return this.#registered >= 0;",
  },
  {
    name: "a receipt forgets the position",
    file: "shared/receipts/settle-receipts.ts",
    find: "instance.incarnation === row.incarnation && row.position !== null && instance.position >= row.position;",
    replace: "instance.incarnation === row.incarnation;",
  },
  {
    name: "an event leaves the outbox before the log has it",
    file: "shared/outbox/publish-event.ts",
    find: "    await Promise.all([",
    replace: "    await users.removeFromOutbox(userId, event.id);\n    await Promise.all([",
  },
  {
    name: "pruned before it has expired",
    file: "shared/revocation/retention.ts",
    find: "* widthSeconds * 1000 + clockErrorAllowedMs;",
    replace: "* widthSeconds * 1000 - 2_000_000;",
  },
  {
    name: "a late event kills nobody",
    file: "shared/revocation/user-state.ts",
    find: 'if (change === "user.reactivated") return false;',
    replace: 'if (change !== "credentials.changed") return false;',
  },
  {
    name: "an upstream change of status ignores the order of time",
    file: "shared/revocation/user-state.ts",
    find: ": effectiveAtMs > state.statusChangedAtMs;",
    replace: ": true;",
  },
  {
    name: "a load merges nothing",
    file: "api/blacklist/load-snapshot.ts",
    find: "blacklist.apply(next.value, next.value.bucketRecords);",
    replace: "",
  },
  {
    name: "pruned by its beginning, of tokens that live for 300 s",
    file: "shared/revocation/retention.ts",
    find: "* widthSeconds * 1000 + clockErrorAllowedMs;",
    replace: "* widthSeconds * 1000 + clockErrorAllowedMs - 300_000;",
  },
  {
    name: "pruned by its beginning, of tokens that live for 900 s",
    file: "shared/revocation/retention.ts",
    find: "* widthSeconds * 1000 + clockErrorAllowedMs;",
    replace: "* widthSeconds * 1000 + clockErrorAllowedMs - 900_000;",
  },
  {
    name: "the time is read after the status",
    file: "api/users/sign-in.ts",
    find: "epoch: user.epoch, readAtMs });",
    replace: "epoch: user.epoch, readAtMs: clock.wallMs() });",
  },
  {
    name: "a load may end under another incarnation than it began",
    file: "api/blacklist/load-snapshot.ts",
    find: "  if (after.incarnation !== incarnation) throw storeInvalid();\n  return { incarnation, position: head };",
    replace:
      "  if (after.incarnation === null) throw storeInvalid();\n  return { incarnation: after.incarnation, position: head };",
  },
  {
    name: "a load forgets what was there",
    file: "api/blacklist/load-snapshot.ts",
    find: "  const chunks = store.load()",
    replace: "  blacklist.prune(true);\n  const chunks = store.load()",
    also: [
      {
        file: "api/blacklist/blacklist.ts",
        find: "    prune() {\n      const nowMs = pruningClock.nowMs();",
        replace:
          "    prune(forgets = false) {\n      const nowMs = forgets ? Infinity : pruningClock.nowMs();",
      },
    ],
  },
  {
    name: "only the wall clock counts",
    file: "api/blacklist/steady-clock.ts",
    find: "return monotonicMs + suspendedMs;",
    replace: "return clock.wallMs();",
  },
  {
    name: "ready while stale",
    file: "api/readiness.ts",
    find: 'if (state === "fresh") return okCheck;',
    replace: 'if (state !== "cold") return okCheck;',
  },
  {
    name: "the relay applies nothing itself",
    file: "workers/relay/apply-here.ts",
    find: "this.#waiting = events.filter(({ eventId }) => !this.#done.has(eventId));",
    replace: "this.#waiting = [];",
  },
  {
    name: "the store lowers a cut-off",
    file: "shared/in-process/store-buckets.ts",
    find: "epoch: Math.max(before.epoch, cutOff.epoch),",
    replace: "epoch: cutOff.epoch,",
  },
  {
    name: "an instance lowers a cut-off",
    file: "api/blacklist/fingerprint-slots.ts",
    find: "this.#values[at] = Math.max(this.#values[at] ?? 0, value);",
    replace: "this.#values[at] = value;",
  },
  {
    name: "an event counts from its own time alone",
    file: "workers/revoker/received-event.ts",
    find: "isOwn ? event.timeMs : Math.min(event.timeMs, appendedAtMs);",
    replace: "event.timeMs;",
  },
  {
    name: "at a tie the looser state wins",
    file: "shared/revocation/user-state.ts",
    find: "strictness[status] > strictness[state.status]",
    replace: "true",
  },
  {
    name: "a refresh does not compare the epoch",
    file: "api/users/refresh-session.ts",
    find: " || session.epoch < user.epoch",
    replace: "",
  },
  {
    name: "the calls of one event may meet different incarnations",
    file: "workers/revoker/write-revocation.ts",
    find: "last === undefined || writes.some(({ incarnation }) => incarnation !== last.incarnation)",
    replace: "last === undefined",
  },
  {
    name: "a repair takes all rows of the surviving incarnation for there",
    file: "workers/pruner/repair.ts",
    find: " && row.position <= found.head",
    replace: "",
  },
  {
    name: "a token leaves before it is recorded",
    file: "api/tokens/issue-token.ts",
    find: "    await deps.sessions.recordToken({",
    replace: "    void deps.sessions.recordToken({",
  },
  {
    name: "lost events are only told",
    file: "workers/revoker/lost-events.ts",
    find: "const reconciled = await reconcile(requireOwned);",
    replace: "await requireOwned();\n      const reconciled = {};\n      void reconcile;",
    // By itself it changes little: a row whose event nobody handles is applied a while later.
    also: [
      {
        file: "workers/relay/overdue.ts",
        find: "return isConfirmed || seenForMs >= overdueMs.upstream;",
        replace: "return isConfirmed;",
      },
    ],
  },
];
