import { freshNamespace } from "../../support/services.ts";
import type { Benchmark } from "../benchmark.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import { removeNamespace } from "../sides/store.ts";

export const checkVsRedis: Benchmark = {
  name: "check-vs-redis",
  about: "one look at the blacklist against a question to Redis for each request",
  async *contests(context) {
    const { redisUrl } = await context.services();
    const place = { redisUrl, namespace: freshNamespace() };
    context.atEnd(() => removeNamespace(place));
    const entries = context.isShort ? 1_000 : 100_000;
    const params = { ...place, entries, cutOffs: 0, hitPercent: 50, count: context.isShort ? 200 : 20_000 };
    const exists = (name: string, atOnce: number) =>
      inProcessOfItsOwn(name, { module: "exists", side: "exists", params: { ...params, atOnce } });
    yield {
      bench: "check-vs-redis",
      params: { entries },
      unit: "ns",
      repetitions: context.isShort ? 1 : 5,
      ours: inProcessOfItsOwn("blacklist", { module: "check", side: "blacklist", params }),
      baselines: [
        { ...exists("EXISTS, one at a time", 1), target: { of: "ratio", atMost: 1 / 800 } },
        exists("EXISTS, a hundred at once, auto-pipelined", 100),
      ],
    };
  },
};
