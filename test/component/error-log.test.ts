import { once } from "node:events";
import { createServer } from "node:http";
import { expect } from "chai";
import Koa from "koa";
import { describe, it } from "mocha";
import { createAssignRequestId } from "../../api/middleware/assign-request-id.ts";
import { createReportErrors } from "../../api/middleware/report-errors.ts";
import type { RequestState } from "../../api/request-state.ts";
import { AppError, dependencyUnavailable } from "../../shared/errors.ts";
import { type Log, silentLog } from "../../shared/log.ts";
import { createManualPlatform } from "../support/manual-clock.ts";

/** What is logged, at which level, when a call ends in this error. */
async function logOf(thrown: Error): Promise<string[]> {
  const logged: string[] = [];
  const note = (level: string) => (event: string) => void logged.push(`${level} ${event}`);
  const log: Log = { ...silentLog, debug: note("debug"), warn: note("warn"), error: note("error") };
  const app = new Koa<RequestState>();
  app.use(createAssignRequestId(createManualPlatform().ids));
  app.use(createReportErrors(log));
  app.use(() => Promise.reject(thrown));
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();
  await new Promise((resolve) => server.close(resolve));
  return logged;
}

describe("the log of a call that failed", () => {
  it("warns when something that the call needs does not answer", async () => {
    expect(await logOf(dependencyUnavailable("mongodb", new Error("refused")))).to.deep.equal([
      "warn http.unavailable",
    ]);
  });

  it("has an error when nobody raised it on purpose", async () => {
    expect(await logOf(new TypeError("a bug"))).to.deep.equal(["error http.failed"]);
  });

  it("stays at debug when the caller is to blame, or a stale instance has said so already", async () => {
    expect(await logOf(new AppError("validation-failed", "No."))).to.deep.equal(["debug http.refused"]);
    expect(await logOf(new AppError("replica-stale", "No."))).to.deep.equal(["debug http.refused"]);
  });
});
