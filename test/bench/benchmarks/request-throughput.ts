import { freshNamespace } from "../../support/services.ts";
import type { Benchmark } from "../benchmark.ts";
import { servedOverHttp } from "../http-side.ts";
import { removeNamespace } from "../sides/store.ts";

export const requestThroughput: Benchmark = {
  name: "request-throughput",
  about: "requests a second with a token that is verified and checked, ids, logging and metrics included",
  async *contests(context) {
    const { redisUrl } = await context.services();
    const params = { redisUrl, namespace: freshNamespace(), entries: context.isShort ? 1_000 : 1_000_000 };
    context.atEnd(() => removeNamespace(params));
    const seconds = context.isShort ? 1 : 4;
    const side = (name: string, variant: string) => servedOverHttp(name, { variant, params, seconds });
    yield {
      bench: "request-throughput",
      params: { entries: params.entries, cut_offs: params.entries / 10 },
      unit: "requests/s",
      repetitions: context.isShort ? 1 : 7,
      ours: side("Quash", "quash"),
      baselines: [
        {
          ...side("the same app without authentication", "withoutAuthentication"),
          target: { of: "ratio", atLeast: 0.95 },
        },
        {
          ...side("the same app without the blacklist", "withoutBlacklist"),
          target: { of: "ratio", atLeast: 0.99 },
        },
        side("the same app, jose verifies each request", "jose"),
        side("the same app, koa-jwt, isRevoked asks Redis", "koaJwt"),
        side("express-jwt, isRevoked asks Redis", "expressJwt"),
      ],
    };
  },
};
