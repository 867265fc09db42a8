import { createServer, get } from "node:http";
import { expect } from "chai";
import Koa from "koa";
import { describe, it } from "mocha";
import { createCloseWhenDraining } from "../../../api/middleware/close-when-draining.ts";
import { listen } from "../../../shared/listen.ts";

describe("an answer while the instance drains", () => {
  const state = { isDraining: false };

  async function connectionOf(path: string): Promise<string | undefined> {
    const app = new Koa();
    app.use(createCloseWhenDraining(() => state.isDraining));
    app.use((ctx) => {
      if (ctx.path === "/slow") state.isDraining = true;
      ctx.respond = ctx.path !== "/stream";
      if (ctx.respond) ctx.body = "done";
      else ctx.res.end("begun at once");
    });
    const handle = app.callback();
    const server = createServer((request, response) => void handle(request, response));
    await listen(server, "127.0.0.1", 0);
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      return await new Promise((resolve, reject) => {
        const options = { host: "127.0.0.1", port, path, headers: { connection: "keep-alive" } };
        get(options, (answer) => {
          answer.resume().once("end", () => resolve(answer.headers.connection));
        }).once("error", reject);
      });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  for (const [path, isDraining, expected] of [
    ["/", false, "keep-alive"],
    ["/", true, "close"],
    ["/slow", false, "close"],
    ["/stream", false, "keep-alive"],
    ["/stream", true, "close"],
  ] as const) {
    it(`of ${path} says ${expected} where it ${isDraining ? "drained" : "did not drain"} before`, async () => {
      state.isDraining = isDraining;
      expect(await connectionOf(path)).to.equal(expected);
    });
  }
});
