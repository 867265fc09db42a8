import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import {
  createFailureLimiter,
  type FailureLimiter,
  type FailureLimits,
} from "../../../api/abuse/failure-limiter.ts";
import { AppError, dependencyUnavailable } from "../../../shared/errors.ts";
import { createInProcessFailureCounters } from "../../../shared/in-process/failure-counters.ts";
import { silentLog } from "../../../shared/log.ts";
import { createMetrics } from "../../../shared/metrics.ts";
import { expectError } from "../../support/expect-error.ts";

const limits: FailureLimits = {
  address: { failures: 3, windowSeconds: 60 },
  account: { failures: 2, windowSeconds: 300 },
  client: { failures: 2, windowSeconds: 300 },
};

describe("a failure limiter", () => {
  let limiter: FailureLimiter;
  let attempts = 0;

  beforeEach(() => {
    attempts = 0;
    limiter = createLimiter(limits);
  });

  function createLimiter(given: FailureLimits): FailureLimiter {
    const metrics = createMetrics({ withProcessMetrics: false });
    return createFailureLimiter({
      counters: createInProcessFailureCounters(),
      limits: given,
      log: silentLog,
      metrics,
    });
  }
  const failing = (error: unknown) => () => {
    attempts += 1;
    return Promise.reject(error);
  };
  const wrong = failing(new AppError("credentials-invalid", "Check them."));

  it("counts by client, and looks at nothing more once a client has failed too often", async () => {
    const client = { client: "c1" };
    await expectError("credentials-invalid", () => limiter.guard(client, wrong));
    await expectError("rate-limited", () => limiter.guard(client, wrong));
    await expectError("rate-limited", () => limiter.guard(client, wrong));
    expect(attempts).to.equal(2);
    expect(await limiter.guard({ client: "c2" }, () => Promise.resolve("in"))).to.equal("in");
  });

  it("tells how far each limit is from being used up", async () => {
    const error = await expectError("credentials-invalid", () =>
      limiter.guard({ address: "192.0.2.1", client: "c1" }, wrong),
    );
    expect(error.headers["ratelimit-policy"]).to.equal('"address";q=3;w=60, "client";q=2;w=300');
    expect(error.headers["ratelimit"]).to.match(/^"address";r=2;t=60, "client";r=1;t=300$/);
  });

  it("keeps one text as an account and as a client apart", async () => {
    await expectError("credentials-invalid", () => limiter.guard({ client: "a" }, wrong));
    await expectError("credentials-invalid", () => limiter.guard({ account: "a" }, wrong));
  });

  it("does not count what is no failure of the caller's, and passes it on as it is", async () => {
    const away = dependencyUnavailable("mongodb", new Error("gone"));
    for (let times = 0; times < 5; times += 1) {
      const error = await expectError("dependency-unavailable", () =>
        limiter.guard({ account: "a" }, failing(away)),
      );
      expect(error).to.equal(away);
    }
  });

  it("counts what it is told to", async () => {
    const notFound = failing(new AppError("not-found", "Nothing is there."));
    const guard = () => limiter.guard({ account: "a" }, notFound, () => true);
    await expectError("not-found", guard);
    await expectError("rate-limited", guard);
  });

  it("does nothing where there is no limit", async () => {
    const off = { failures: 0, windowSeconds: 60 };
    const none = createLimiter({ address: off, account: off, client: off });
    for (let times = 0; times < 20; times += 1) {
      const error = await expectError("credentials-invalid", () => none.guard({ account: "a" }, wrong));
      expect(error.headers).to.deep.equal({});
    }
  });
});
