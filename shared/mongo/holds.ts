import { type Model, type QueryFilter, trusted } from "mongoose";
import { dependencyUnavailable } from "../errors.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { MongoConnection } from "./connection.ts";
import { isDuplicateKey } from "./failures.ts";
import { documentOfPendingRow, type RevocationDocument, rowOf } from "./ledger-documents.ts";

type HoldPart = Pick<
  Ledger,
  "judge" | "confirmHold" | "listHoldsOver" | "beginHoldEnd" | "endHold" | "countHeld"
>;

/** Each step is one conditional update of the row. */
export function createMongoHolds({ call }: MongoConnection, rows: Model<RevocationDocument>): HoldPart {
  return {
    judge: (row, { heldUntilMs }) =>
      call(async () => {
        const { status: pending, ...rest } = documentOfPendingRow(row);
        const { _id, ...inserted } = rest;
        const unjudged = { _id, status: trusted({ $in: [pending, "failed" as const] }), hold: null };
        const verdict =
          heldUntilMs === null
            ? { $set: { status: pending, hold: "admitted" }, $unset: { until: 1 as const } }
            : { $set: { status: "held", hold: "held", until: new Date(heldUntilMs) } };
        // A row that was judged is not met, and its id is taken: then it is read.
        await rows
          .updateOne(unjudged, { ...verdict, $setOnInsert: inserted }, { upsert: true })
          .exec()
          .catch((error: unknown) => {
            if (!isDuplicateKey(error)) throw error;
          });
        const document = await rows.findOne({ _id }).lean().exec();
        if (document === null)
          throw dependencyUnavailable("mongodb", new Error("the row was purged meanwhile"));
        return rowOf(document);
      }),
    confirmHold: (eventId, { by, atMs }) =>
      call(async () => {
        const update = {
          $set: { status: "pending", hold: "confirmed", confirmedBy: by, confirmedAt: new Date(atMs) },
          $unset: { until: 1 as const },
        } as const;
        const document = await rows
          .findOneAndUpdate({ _id: eventId, status: "held", hold: "held" }, update, {
            returnDocument: "after",
          })
          .lean()
          .exec();
        return document === null ? null : rowOf(document);
      }),
    listHoldsOver: (nowMs, limit) =>
      call(async () => {
        const documents = await rows
          .find(isOver(nowMs))
          .sort({ requestedAt: 1, _id: 1 })
          .limit(limit)
          .lean()
          .exec();
        return documents.map(rowOf);
      }),
    beginHoldEnd: (eventId, nowMs) =>
      call(async () => {
        const ended = { _id: eventId, ...isOver(nowMs) };
        return (await rows.updateOne(ended, { $set: { hold: "ending" } }).exec()).matchedCount === 1;
      }),
    endHold: (eventId, { untilMs }) =>
      call(async () => {
        const update = {
          $set: { status: "failed", until: new Date(untilMs) },
          $unset: { hold: 1 as const },
        } as const;
        await rows.updateOne({ _id: eventId, status: "held", hold: "ending" }, update).exec();
      }),
    countHeld: () => call(() => rows.countDocuments({ status: "held" }).exec()),
  };
}

function isOver(nowMs: number): QueryFilter<RevocationDocument> {
  return { status: "held", $or: [{ hold: "ending" }, { until: trusted({ $lt: new Date(nowMs) }) }] };
}
