import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import type { Side } from "./contest.ts";
import type { RunningServer, ServerParams } from "./sides/http-servers.ts";

const entry = fileURLToPath(new URL("sides/http-main.ts", import.meta.url));

/** A server in a process of its own, asked by many connections in closed loop; requests a second. */
export function servedOverHttp(
  name: string,
  { variant, params, seconds }: { variant: string; params: ServerParams; seconds: number },
): Side {
  return {
    name,
    async open() {
      const child = fork(entry, [variant, JSON.stringify(params)], {
        execArgv: ["--import", "tsx"],
        env: { ...process.env, NODE_ENV: "production" },
        // Its log lines are none of the results.
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      const ended = once(child, "exit");
      const [server] = (await Promise.race([
        once(child, "message"),
        ended.then(([code]: unknown[]) => {
          throw new Error(`the server ${name} ended with ${String(code)}`);
        }),
      ])) as [RunningServer];
      const url = `http://127.0.0.1:${server.port}/resource`;
      await requireRefusal(url, server.revokedToken);
      return {
        async run() {
          const requests = server.tokens.map((token) => ({ headers: { authorization: `Bearer ${token}` } }));
          const result = await autocannon({ url, connections: 50, duration: seconds, requests });
          const failed = result.non2xx + result.errors + result.timeouts;
          return { value: result.requests.average, answers: `${failed} refused` };
        },
        async close() {
          child.kill();
          await ended;
        },
      };
    },
  };
}

/** A server that lets everything pass is no alternative. */
async function requireRefusal(url: string, revokedToken: string | undefined): Promise<void> {
  if (revokedToken === undefined) return;
  const { status } = await fetch(url, { headers: { authorization: `Bearer ${revokedToken}` } });
  if (status !== 401) throw new Error(`${url} answers ${status} to a revoked token`);
}
