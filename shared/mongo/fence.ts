import type { Ledger } from "../ports/ledger.ts";
import type { MongoConnection } from "./connection.ts";
import { repeatIfDuplicate } from "./failures.ts";
import { type FenceDocument, fenceOf, fenceSchema } from "./ledger-documents.ts";

type FencePart = Pick<Ledger, "readFence" | "writeFence" | "raiseLongest" | "lowerLongest">;

const only = { _id: "fence" };

/** The fence is one document. It is read, as everything is, from the primary with majority read concern. */
export function createMongoFence({ connection, call }: MongoConnection): FencePart {
  const fences = connection.model<FenceDocument>("Fence", fenceSchema, "fence");

  const upsert = (update: Parameters<typeof fences.updateOne>[1]) =>
    call(async () => {
      await repeatIfDuplicate(() => fences.updateOne(only, update, { upsert: true }).exec());
    });
  const readFence = () =>
    call(async () => {
      const document = await fences.findOne(only).lean().exec();
      return document === null ? null : fenceOf(document);
    });

  return {
    readFence,
    writeFence: (incarnation) => upsert({ $set: { incarnation } }),
    async raiseLongest({ tokenLifetimeSeconds, maxStalenessMs }) {
      await upsert({ $max: { tokenLifetimeSeconds, maxStalenessMs }, $inc: { longestVersion: 1 } });
      return (await readFence()) ?? fenceOf(only);
    },
    lowerLongest: ({ tokenLifetimeSeconds, maxStalenessMs }, { incarnation, version }) =>
      call(async () => {
        const seen = { ...only, incarnation, longestVersion: version };
        const longest = { tokenLifetimeSeconds, maxStalenessMs, longestVersion: version + 1 };
        return (await fences.updateOne(seen, { $set: longest }).exec()).matchedCount === 1;
      }),
  };
}
