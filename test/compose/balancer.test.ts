import type { ServerResponse } from "node:http";
import { expect } from "chai";
import { after, before, beforeEach, it } from "mocha";
import { type Balancer, missingForBalancer, startBalancer } from "../support/balancer.ts";
import { eventually } from "../support/eventually.ts";
import { describeUnlessMissing } from "../support/requirements.ts";
import { type Answer, type EchoInstances, startEchoInstances } from "./echo-instances.ts";

interface Echo {
  readonly address: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const three = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];

describeUnlessMissing("the balancer", missingForBalancer(), () => {
  let instances: EchoInstances;
  let balancer: Balancer;

  before(async () => {
    instances = await startEchoInstances(three);
    balancer = await startBalancer({ addresses: three, port: instances.port });
  });

  beforeEach(() => instances.reset());

  after(async () => {
    await balancer.close();
    await instances.close();
  });

  const echo = async (path: string, init?: RequestInit) =>
    (await (await fetch(`${balancer.url}${path}`, init)).json()) as Echo;

  const addressesInUse = async (requests: number) => {
    const answers = await Promise.all(Array.from({ length: requests }, () => echo("/me")));
    return [...new Set(answers.map(({ address }) => address))].toSorted();
  };

  it("spreads requests over all instances that the name stands for", async () => {
    // Requests that wait for one DNS answer together all start with the same address of it; later ones do not.
    await eventually(async () => expect(await addressesInUse(60)).to.deep.equal(three));
  });

  it("finds an instance that is added and forgets one that is taken away, without a reload", async () => {
    await instances.add("127.0.0.5");
    const next = ["127.0.0.3", "127.0.0.4", "127.0.0.5"];
    balancer.setAddresses(next);
    await eventually(async () => expect(await addressesInUse(60)).to.deep.equal(next), { timeoutMs: 10_000 });
    balancer.setAddresses(three);
    await eventually(async () => expect(await addressesInUse(60)).to.deep.equal(three), {
      timeoutMs: 10_000,
    });
  });

  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    it(`passes a ${method} on as it came`, async () => {
      const answer = await echo("/users?a=%20b", { method, body: '{"reason":"left"}' });
      expect(answer).to.include({ method, url: "/users?a=%20b", body: '{"reason":"left"}' });
    });

    it(`tries a ${method} on no second instance when the first is lost on the way`, async () => {
      instances.reset(cutOff);
      const { status } = await fetch(`${balancer.url}/users`, { method, body: "{}" });
      expect(status).to.equal(502);
      expect(instances.seen).to.have.lengthOf(1);
    });
  }

  it("tries no POST on a second instance when the first is not ready", async () => {
    instances.reset(notReady);
    const { status } = await fetch(`${balancer.url}/users`, { method: "POST", body: "{}" });
    expect(status).to.equal(503);
    expect(instances.seen).to.have.lengthOf(1);
  });

  it("tries a read on a second instance", async () => {
    for (const answer of [cutOff, notReady]) {
      instances.reset(answer);
      await fetch(`${balancer.url}/me`);
      expect(new Set(instances.seen.map(({ address }) => address))).to.have.lengthOf(2);
    }
  });

  it("passes each event of a stream on at once", async () => {
    let stream: ServerResponse | undefined;
    instances.reset((_request, response) => {
      stream = response.writeHead(200, { "content-type": "text/event-stream" });
      stream.flushHeaders();
    });
    const { body } = await fetch(`${balancer.url}/me/stream`);
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    for (const event of ["event: hello\n\n", "event: still-there\n\n", "event: revoked\n\n"]) {
      stream?.write(event);
      expect((await reader?.read())?.value).to.equal(event);
    }
    stream?.end();
    expect((await reader?.read())?.done).to.equal(true);
  });

  for (const path of ["/metrics", "/metrics/", "/METRICS", "//metrics", "/%6detrics", "/metrics?a=b"]) {
    it(`does not pass on ${path}`, async () => {
      const { status } = await fetch(`${balancer.url}${path}`);
      expect(status).to.equal(404);
      expect(instances.seen).to.deep.equal([]);
    });
  }

  it("keeps the request id it is given, and makes one otherwise", async () => {
    const given = await echo("/me", { headers: { "x-request-id": "given-by-the-caller" } });
    expect(given.headers["x-request-id"]).to.equal("given-by-the-caller");
    const made = await echo("/me");
    expect(made.headers["x-request-id"]).to.match(/^[0-9a-f]{32}$/);
  });

  it("believes no forwarding header of a client", async () => {
    const headers = {
      "x-forwarded-for": "192.0.2.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "elsewhere.example",
      forwarded: "for=192.0.2.1",
    };
    const answer = await echo("/me", { headers });
    expect(answer.headers).to.include({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": new URL(balancer.url).host,
    });
    expect(answer.headers).not.to.have.property("forwarded");
  });

  it("refuses a body far above what the API takes, and passes on one a little above", async () => {
    const far = await fetch(`${balancer.url}/users`, { method: "POST", body: "x".repeat(70_000) });
    expect(far.status).to.equal(413);
    expect(instances.seen).to.deep.equal([]);
    const little = await fetch(`${balancer.url}/users`, { method: "POST", body: "x".repeat(17_000) });
    expect(little.status).to.equal(200);
  });
});

const cutOff: Answer = (request) => {
  request.socket.destroy();
};

const notReady: Answer = (request, response) => {
  request.resume();
  response.writeHead(503).end();
};
