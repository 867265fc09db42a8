import { createServer, type ServerResponse } from "node:http";
import { listen } from "../../../shared/listen.ts";
import { openRedis } from "./store.ts";

/*
 * What no instance can beat: hears of a name on Redis and ends the response that waits for it. Everything that an
 * instance does with an announcement, but for the work.
 */
const [, , redisUrl = "", channel = ""] = process.argv;
const waiting = new Map<string, ServerResponse>();
const redis = openRedis(redisUrl);
redis.on("message", (_channel: string, name: string) => {
  waiting.get(name)?.end("revoked");
  waiting.delete(name);
});
await redis.subscribe(channel);
const server = createServer((request, response) => {
  const name = (request.url ?? "").slice(1);
  waiting.set(name, response);
  response.write("open");
});
await listen(server, "127.0.0.1", 0);
const address = server.address();
process.send?.(typeof address === "object" && address !== null ? address.port : 0);
