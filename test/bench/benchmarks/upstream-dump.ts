import { dropMongoDatabase } from "../../support/drop-mongo-database.ts";
import { freshNamespace } from "../../support/services.ts";
import type { Benchmark } from "../benchmark.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import { removeNamespace } from "../sides/store.ts";

export const upstreamDump: Benchmark = {
  name: "upstream-dump",
  about: "what a worker does for each of many users whom another system deactivates at once",
  async *contests(context) {
    const { redisUrl, mongoUrl } = await context.services();
    const users = context.isShort ? 20 : 400;
    const side = (name: string, of: string) => {
      const params = { redisUrl, mongoUrl, namespace: freshNamespace(), users };
      context.atEnd(() => removeNamespace(params));
      context.atEnd(() => dropMongoDatabase(mongoUrl, params.namespace));
      return inProcessOfItsOwn(name, { module: "upstream-dump", side: of, params });
    };
    yield {
      bench: "upstream-dump",
      params: { users, tokens_of_a_user: 1 },
      unit: "ms",
      repetitions: context.isShort ? 1 : 5,
      ours: side("400 events side by side", "together"),
      baselines: [side("one event at a time", "oneByOne")],
    };
  },
};
