import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import type { ServiceSettings } from "../../api/settings.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { createManualPlatform, type ManualPlatform } from "../support/manual-clock.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../support/test-api.ts";
import { whileTimePasses } from "../support/while-time-passes.ts";

describe("freshness and streams over HTTP, under a clock that is moved by hand", () => {
  let platform: ManualPlatform;
  let world: ApiWorld;
  let api: TestApi;
  let token: string;

  const inTime = <T>(work: Promise<T>): Promise<T> => whileTimePasses(platform, work);

  async function start(settings: Partial<ServiceSettings> = {}): Promise<void> {
    platform = createManualPlatform();
    world = await createApiWorld({
      platform,
      settings: { SYNC_INTERVAL_MS: 1_000, ...settings },
    });
    await inTime(world.startWorker());
    api = await inTime(world.startApi());
    token = await inTime(api.signIn());
  }
  afterEach(() => inTime(world.close()));

  describe("a strict instance", () => {
    it("refuses everything once it cannot prove its view, before it looks at a token, and recovers", async () => {
      await start();
      world.storeServer.setAvailable(false);
      await platform.advance(3_900);
      expect(await api.statusOf(token)).to.equal(200);

      await platform.advance(1_200);
      for (const given of [token, "garbage", undefined]) {
        const answer = await api.call("/me", given === undefined ? {} : { token: given });
        expectProblem(answer, "replica-stale");
        expect(answer.headers.get("retry-after")).to.equal("1");
      }
      const ready = await api.call("/readyz");
      expect(ready.status).to.equal(503);
      expect(ready.body["checks"]).to.have.nested.property("replica.detail", "stale: redis does not answer");
      expect(ready.body["checks"])
        .to.have.nested.property("replica.since")
        .that.matches(/^2026-01-15T12:00:0/);
      expect((await api.call("/livez")).status).to.equal(200);

      world.storeServer.setAvailable(true);
      await platform.advance(1_000);
      expect([await api.statusOf(token), (await api.call("/readyz")).status]).to.deep.equal([200, 200]);
    });

    it("refuses as soon as it wakes up after it was suspended", async () => {
      await start();
      platform.suspend(6_000);
      expectProblem(await api.call("/me", { token }), "replica-stale");
    });

    it("refuses a token that has expired, and one from the future", async () => {
      await start();
      platform.stepWall(-10_000);
      expectProblem(await api.call("/me", { token }), "token-not-yet-valid");
      platform.stepWall(10_000);
      await platform.advance(906_000);
      expectProblem(await api.call("/me", { token }), "token-expired");
    });
  });

  it("a best_effort instance goes on for an hour, and no longer", async () => {
    await start({ STALENESS_POLICY: "best_effort", TOKEN_LIFETIME_SECONDS: 86_400 });
    world.storeServer.setAvailable(false);
    await platform.advance(6_000);
    expect([await api.statusOf(token), (await api.call("/readyz")).status]).to.deep.equal([200, 503]);
    await platform.advance(3_595_000);
    expectProblem(await api.call("/me", { token }), "replica-stale");
  });

  it("a route may be best_effort on a strict instance, which then registers and notes the hour", async () => {
    await start({ TOKEN_LIFETIME_SECONDS: 86_400, ROUTE_POLICIES: { "/me": "best_effort" } });
    const { store, database } = world.connectParts();
    const { instances, longest } = await store.readInstances();
    expect(instances.map(({ maxStalenessMs }) => maxStalenessMs)).to.deep.equal([3_600_000]);
    expect(longest.maxStalenessMs).to.equal(3_600_000);
    expect((await database.ledger.readFence())?.longest.maxStalenessMs).to.equal(3_600_000);

    world.storeServer.setAvailable(false);
    await platform.advance(6_000);
    expect(await api.statusOf(token)).to.equal(200);
    expectProblem(await api.call("/users", { token }), "replica-stale");
    expect((await api.call("/readyz")).status).to.equal(503);
    await platform.advance(3_595_000);
    expectProblem(await api.call("/me", { token }), "replica-stale");
  });

  describe("GET /me/stream", () => {
    async function openStream(of = token) {
      const ended = new AbortController();
      const answer = await fetch(`${api.url}/me/stream`, {
        headers: { authorization: `Bearer ${of}` },
        signal: ended.signal,
      });
      const seen = { text: "", isEnded: false };
      const reading = (async () => {
        const decoder = new TextDecoder();
        for await (const chunk of answer.body ?? []) seen.text += decoder.decode(chunk);
        seen.isEnded = true;
      })();
      reading.catch(() => undefined);
      return { answer, seen, leave: () => ended.abort() };
    }
    const eventsIn = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
    const expectNoneOpen = () =>
      eventually(async () => {
        const text = await (await fetch(`${api.url}/metrics`)).text();
        expect(text).to.match(/^revocation_open_streams 0$/m);
      });
    const expectEnd = async (seen: { text: string; isEnded: boolean }, reason: string) => {
      await eventually(() => expect(seen.isEnded).to.equal(true));
      expect(eventsIn(seen.text)).to.deep.equal(["open", reason]);
      await expectNoneOpen();
    };

    it("opens with an event, stays open and beats, and leaves nothing behind when its client goes", async () => {
      await start();
      const { answer, seen, leave } = await openStream();
      expect(answer.headers.get("content-type")).to.match(/^text\/event-stream/);
      expect([answer.headers.get("cache-control"), answer.headers.get("x-accel-buffering")]).to.deep.equal([
        "no-store",
        "no",
      ]);
      await platform.advance(31_000);
      await eventually(() => expect(seen.text.match(/^: still here$/gm)).to.have.length(2));
      const opened = /^event: open\ndata: (.*)\n\n/.exec(seen.text)?.[1] ?? "";
      expect(JSON.parse(opened)).to.have.all.keys("jti", "instance");
      leave();
      await expectNoneOpen();
    });

    it("ends with the event revoked as soon as its token is revoked, and no other does", async () => {
      await start();
      const id = await api.createUser(token, { email: "alice@example.com", password: "long enough" });
      const theirs = await openStream(await api.signIn("alice@example.com", "long enough"));
      const ours = await openStream();
      await api.call(`/users/${id}/deactivate`, { method: "POST", token });
      await platform.advance(20);

      await eventually(() => expect(theirs.seen.isEnded).to.equal(true));
      expect(eventsIn(theirs.seen.text)).to.deep.equal(["open", "revoked"]);
      expect([eventsIn(ours.seen.text), ours.seen.isEnded]).to.deep.equal([["open"], false]);
      ours.leave();
      await expectNoneOpen();
    });

    it("ends when its token expires", async () => {
      await start();
      const { seen } = await openStream();
      await platform.advance(900_000);
      await expectEnd(seen, "expired");
    });

    it("ends when the instance goes stale", async () => {
      await start();
      const { seen } = await openStream();
      world.storeServer.setAvailable(false);
      await platform.advance(5_100);
      await expectEnd(seen, "stale");
    });

    it("ends when the instance drains", async () => {
      await start();
      const { seen } = await openStream();
      await inTime(api.api.close());
      expect(seen.isEnded).to.equal(true);
      expect(eventsIn(seen.text)).to.deep.equal(["open", "shutting-down"]);
    });

    it("is not opened by HEAD", async () => {
      await start();
      const answer = await sendRaw(
        api.port,
        `HEAD /me/stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      expect(answer.status).to.equal(200);
      await expectNoneOpen();
    });
  });
});
