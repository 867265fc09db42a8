import { createCoalescer } from "../shared/coalesce.ts";
import type { Database } from "../shared/ports/database.ts";
import type { Ledger, MarkedPage, MarkedToken } from "../shared/ports/ledger.ts";
import type { RevocationStore } from "../shared/ports/revocation-store.ts";
import type { SessionStore } from "../shared/ports/session-store.ts";
import type { User, UserStore } from "../shared/ports/user-store.ts";
import type { Addition } from "../shared/revocation/addition.ts";
import { runInOrder } from "./in-order.ts";

/*
 * The ports of one worker, whose events are handled side by side: the questions and writes that they have at the same
 * time are joined, so that a batch of hundreds takes as many calls as one event. What each call guarantees stays as it
 * is, and so does the order of the calls of one event. A call that is alone is made as it is.
 */

export const additionsInACall = 1_000;
/**
 * Of a call to the database, however many partitions have something to ask. One that takes longer than it may is made
 * again while the server is still at it, and writes beside one another conflict: both make more of what is too much.
 */
const mostInARun = 100;
const bounds = { mostInARun, runsAtOnce: 2 } as const;
/** Of several events in one page; where it is full, each reads its own, so many at once. */
const markedInAPage = 4_000;
const aloneAtOnce = 4;

export function createCoalescedLedger(ledger: Ledger): Ledger {
  const readFence = createCoalescer<void, Awaited<ReturnType<Ledger["readFence"]>>>({
    async run(calls) {
      const fence = await ledger.readFence();
      return calls.map(() => fence);
    },
  });
  const find = createCoalescer<string, Awaited<ReturnType<Ledger["find"]>>>({
    ...bounds,
    async run(eventIds) {
      const [only] = eventIds;
      if (only === undefined) return [];
      if (eventIds.length === 1) return [await ledger.find(only)];
      const rows = new Map((await ledger.findMany([...new Set(eventIds)])).map((row) => [row.eventId, row]));
      return eventIds.map((eventId) => rows.get(eventId) ?? null);
    },
  });
  const insertPending = createCoalescer<Parameters<Ledger["insertPending"]>[0], undefined>({
    weigh: (rows) => rows.length,
    ...bounds,
    async run(lists) {
      await ledger.insertPending(lists.flat());
      return lists.map(() => undefined);
    },
  });
  const noteApplied = createCoalescer<Parameters<Ledger["noteApplied"]>, boolean>({
    ...bounds,
    async run([only, ...others]) {
      if (only === undefined) return [];
      if (others.length === 0) return [await ledger.noteApplied(...only)];
      return ledger.noteManyApplied([only, ...others].map(([eventId, note]) => ({ eventId, note })));
    },
  });
  return {
    ...ledger,
    readFence,
    find,
    insertPending,
    ...createCoalescedMarks(ledger),
    noteApplied: (...noted) => noteApplied(noted),
  };
}

function createCoalescedMarks(ledger: Ledger): Pick<Ledger, "markTokens" | "listMarked" | "lastExpiryMs"> {
  type Marking = Parameters<Ledger["markTokens"]>;
  // Those of a user with very many tokens take long, and hold up nobody else.
  const markTokens = createCoalescer<Marking, number>({
    mostInARun,
    async run([only, ...others]) {
      if (only === undefined) return [];
      if (others.length === 0) return [await ledger.markTokens(...only)];
      const all = [only, ...others];
      const limit = Math.min(...all.map(([, , each]) => each));
      return ledger.markMany(
        all.map(([eventId, selection]) => ({ eventId, selection })),
        limit,
      );
    },
  });
  const listMarked = createCoalescer<Parameters<Ledger["listMarked"]>, MarkedToken[]>({
    mostInARun,
    run: (asked) => listMarkedOfMany(ledger, asked),
  });
  const lastExpiryMs = createCoalescer<string, number | null>({
    ...bounds,
    async run(subjects) {
      const [only] = subjects;
      if (only === undefined) return [];
      if (subjects.length === 1) return [await ledger.lastExpiryMs(only)];
      const last = await ledger.lastExpiriesMs([...new Set(subjects)]);
      return subjects.map((subject) => last.get(subject) ?? null);
    },
  });
  return {
    markTokens: (...asked) => markTokens(asked),
    listMarked: (...asked) => listMarked(asked),
    lastExpiryMs,
  };
}

type ListMarked = Parameters<Ledger["listMarked"]>;

/** First pages are read together; who reads on, or has more than fits, reads alone. */
async function listMarkedOfMany(ledger: Ledger, asked: readonly ListMarked[]): Promise<MarkedToken[][]> {
  const isFirst = ([, { after }]: ListMarked) => after === undefined;
  const together = asked.filter(isFirst);
  const found = together.length > 1 ? await listTogether(ledger, together) : null;
  const answers: MarkedToken[][] = [];
  const order = { limit: aloneAtOnce, keyOf: ([at]: [number, ListMarked]) => String(at) };
  await runInOrder([...asked.entries()], order, async ([at, [eventIds, page]]) => {
    const isRead = found !== null && page.after === undefined;
    answers[at] = isRead ? pageOf(found, eventIds, page) : await ledger.listMarked(eventIds, page);
  });
  return answers;
}

function pageOf(
  found: ReadonlyMap<string, readonly MarkedToken[]>,
  eventIds: readonly string[],
  { expiresAfterMs, limit }: MarkedPage,
): MarkedToken[] {
  return eventIds
    .flatMap((eventId) => found.get(eventId) ?? [])
    .filter(({ expiresAtMs }) => expiresAtMs > expiresAfterMs)
    .toSorted((a, b) => (a.jti < b.jti ? -1 : 1))
    .slice(0, limit);
}

async function listTogether(
  ledger: Ledger,
  asked: readonly ListMarked[],
): Promise<Map<string, MarkedToken[]> | null> {
  const pages = asked.map(([, page]) => page);
  const joined: MarkedPage = {
    expiresAfterMs: Math.min(...pages.map(({ expiresAfterMs }) => expiresAfterMs)),
    limit: markedInAPage,
    ...(pages.every(({ subjects }) => subjects !== undefined) && {
      subjects: pages.flatMap(({ subjects = [] }) => subjects),
    }),
  };
  const tokens = await ledger.listMarked([...new Set(asked.flatMap(([eventIds]) => eventIds))], joined);
  if (tokens.length === markedInAPage) return null;
  const byEvent = new Map<string, MarkedToken[]>();
  for (const token of tokens) {
    const ofEvent = byEvent.get(token.revokedBy);
    if (ofEvent === undefined) byEvent.set(token.revokedBy, [token]);
    else ofEvent.push(token);
  }
  return byEvent;
}

export function createCoalescedUsers(users: UserStore): UserStore {
  const findById = createCoalescer<string, User | null>({
    ...bounds,
    async run(ids) {
      const [only] = ids;
      if (only === undefined) return [];
      if (ids.length === 1) return [await users.findById(only)];
      const found = new Map((await users.findMany([...new Set(ids)])).map((user) => [user.id, user]));
      return ids.map((id) => found.get(id) ?? null);
    },
  });
  const change = createCoalescer<Parameters<UserStore["change"]>, User | null>({
    ...bounds,
    async run([only, ...others]) {
      if (only === undefined) return [];
      if (others.length === 0) return [await users.change(...only)];
      return users.changeMany([only, ...others].map(([id, asked]) => ({ id, change: asked })));
    },
  });
  return { ...users, findById, change: (...asked) => change(asked) };
}

export function createCoalescedSessions(sessions: SessionStore): SessionStore {
  const findToken = createCoalescer<string, Awaited<ReturnType<SessionStore["findToken"]>>>({
    ...bounds,
    async run(jtis) {
      const [only] = jtis;
      if (only === undefined) return [];
      if (jtis.length === 1) return [await sessions.findToken(only)];
      const found = new Map(
        (await sessions.findTokens([...new Set(jtis)])).map((token) => [token.jti, token]),
      );
      return jtis.map((jti) => found.get(jti) ?? null);
    },
  });
  return { ...sessions, findToken };
}

export function createCoalescedDatabase(database: Database): Database {
  return {
    ...database,
    users: createCoalescedUsers(database.users),
    sessions: createCoalescedSessions(database.sessions),
    ledger: createCoalescedLedger(database.ledger),
  };
}

/** Its `add`, but for one with `extend`, which few events need. */
export function createCoalescedAdd({ add }: Pick<RevocationStore, "add">): RevocationStore["add"] {
  const addSome = createCoalescer<readonly Addition[], Awaited<ReturnType<RevocationStore["add"]>>>({
    weigh: (additions) => additions.length,
    mostInARun: additionsInACall,
    async run(lists) {
      const written = await add(lists.flat());
      return lists.map(() => written);
    },
  });
  return (additions, options) => (options?.extend === true ? add(additions, options) : addSome(additions));
}
