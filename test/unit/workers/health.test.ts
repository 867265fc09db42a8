import { expect } from "chai";
import { describe, it } from "mocha";
import { silentLog } from "../../../shared/log.ts";
import { createMetrics } from "../../../shared/metrics.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { type HealthListenerOptions, startHealthListener } from "../../../workers/health.ts";

const host = "127.0.0.1";

function start(options: Omit<HealthListenerOptions, "host">) {
  const metrics = createMetrics({ withProcessMetrics: false });
  return startHealthListener(
    { dependencies: {}, platform: createPlatform(), metrics, log: silentLog },
    { host, ...options },
  );
}

describe("health listener", () => {
  it("takes a free port when the usual one is taken and none was asked for", async () => {
    const first = await start({ port: 0 });
    const second = await start({ port: undefined, usualPort: Number(new URL(first.url).port) });
    expect(second.url).to.not.equal(first.url);
    expect((await fetch(`${second.url}/livez`)).status).to.equal(200);
    await Promise.all([first.close(), second.close()]);
  });

  it("fails when the port that was asked for is taken", async () => {
    const first = await start({ port: 0 });
    const error: unknown = await start({ port: Number(new URL(first.url).port) }).catch(
      (caught: unknown) => caught,
    );
    expect(error).to.have.property("code", "EADDRINUSE");
    await first.close();
  });
});
