import { type Model, type QueryFilter, trusted } from "mongoose";
import { groupByKey } from "../group-by-key.ts";
import type { MarkRequest, TokenSelection } from "../ports/ledger.ts";
import type { TokenDocument } from "./session-documents.ts";

type Unmarked = Omit<TokenDocument, "revokedBy">;
type KeyName = "subject" | "sid" | "_id";

/** Where there are more, or far more than may be marked, each request is to be served by itself. */
const readAtMost = 4_000;
const readForEachMark = 4;

/**
 * For each request the ids of at most `limit` tokens that it means, that live, and that bear no mark; none of them for
 * two requests. Null where they are too many to be read at once.
 */
export async function chooseUnmarked(
  tokens: Model<TokenDocument>,
  requests: readonly MarkRequest[],
  limit: number,
): Promise<string[][] | null> {
  const atMost = Math.min(readAtMost, requests.length * limit * readForEachMark);
  const nowMs = Math.min(...requests.map(({ selection }) => selection.nowMs));
  const found = new Map<KeyName, Map<string, Unmarked[]>>();
  for (const name of ["subject", "sid", "_id"] as const) {
    const values = new Set(
      requests.flatMap(({ selection }) => (keyNameOf(selection) === name ? keyOf(selection) : [])),
    );
    if (values.size === 0) continue;
    const unmarked = await readUnmarked(tokens, { [name]: trusted({ $in: [...values] }) }, { nowMs, atMost });
    if (unmarked === null) return null;
    found.set(
      name,
      groupByKey(unmarked, (token) => token[name]),
    );
  }
  const taken = new Set<string>();
  return requests.map(({ selection }) => {
    const candidates = found.get(keyNameOf(selection))?.get(keyOf(selection)) ?? [];
    const chosen = candidates
      .filter(({ _id, ...token }) => !taken.has(_id) && isMeant(token, selection))
      .slice(0, limit);
    for (const { _id } of chosen) taken.add(_id);
    return chosen.map(({ _id }) => _id);
  });
}

async function readUnmarked(
  tokens: Model<TokenDocument>,
  of: QueryFilter<TokenDocument>,
  { nowMs, atMost }: { readonly nowMs: number; readonly atMost: number },
): Promise<Unmarked[] | null> {
  const unmarked = await tokens
    .find({ ...of, revokedBy: null, expiresAt: trusted({ $gt: new Date(nowMs) }) })
    .limit(atMost + 1)
    .batchSize(atMost + 1)
    .lean()
    .exec();
  return unmarked.length > atMost ? null : unmarked;
}

function keyNameOf({ by }: TokenSelection): KeyName {
  if (by === "session") return "sid";
  return by === "jti" ? "_id" : "subject";
}

function keyOf(selection: TokenSelection): string {
  if (selection.by === "session") return selection.sid;
  return selection.by === "jti" ? selection.jti : selection.subject;
}

function isMeant({ epoch, issuedAt, expiresAt }: Omit<Unmarked, "_id">, selection: TokenSelection): boolean {
  if (expiresAt.getTime() <= selection.nowMs) return false;
  if (selection.by === "epoch") return epoch < selection.belowEpoch;
  return selection.by !== "issued-at" || issuedAt.getTime() <= selection.issuedAtOrBeforeMs;
}
