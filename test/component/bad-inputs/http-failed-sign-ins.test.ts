import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import type { ServiceSettings } from "../../../api/settings.ts";
import type { Answer } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { administrator } from "../../support/fleet.ts";
import { type ApiWorld, createApiWorld, fastHasher, type TestApi } from "../../support/test-api.ts";

describe("failed sign-ins", () => {
  let world: ApiWorld | undefined;
  afterEach(() => world?.close());

  async function start(settings: Partial<ServiceSettings> = {}): Promise<TestApi> {
    world = await createApiWorld({ settings });
    await world.startWorker();
    return world.startApi();
  }

  const attempt = (api: TestApi, email: string, password: string, headers = {}) =>
    api.call("/auth/login", { body: { email, password }, headers });

  const guess = (api: TestApi, email = administrator.email, headers = {}) =>
    attempt(api, email, "a wrong password", headers);

  async function guesses(times: number, make: (index: number) => Promise<Answer>): Promise<number[]> {
    const statuses: number[] = [];
    for (let index = 0; index < times; index += 1) statuses.push((await make(index)).status);
    return statuses;
  }

  const nineWrong = Array<number>(9).fill(401);

  it("B10: the 10th of an account within 5 minutes: rate-limited, with Retry-After and RateLimit", async () => {
    const api = await start();
    expect(await guesses(9, () => guess(api))).to.deep.equal(nineWrong);
    const tenth = await guess(api);

    expectProblem(tenth, "rate-limited");
    expect(Number(tenth.headers.get("retry-after"))).to.be.within(1, 300);
    expect(tenth.headers.get("ratelimit-policy")).to.equal('"address";q=100;w=60, "account";q=10;w=300');
    expect(tenth.headers.get("ratelimit")).to.match(/^"address";r=90;t=\d+, "account";r=0;t=\d+$/);
  });

  it("B10: after that the password is not looked at, however it is written and wherever it comes from", async () => {
    const api = await start();
    await guesses(10, () => guess(api));

    for (const email of [administrator.email, administrator.email.toUpperCase()]) {
      expectProblem(await attempt(api, email, administrator.password), "rate-limited");
    }
    expect((await guess(api, "somebody@example.com")).status).to.equal(401);
  });

  it("B10: an account that there is not is limited as one that there is", async () => {
    const api = await start();
    const answers: unknown[] = [];
    for (const email of [administrator.email, "nobody@example.com"]) {
      expect(await guesses(9, () => guess(api, email))).to.deep.equal(nineWrong);
      const { body, headers } = await guess(api, email);
      answers.push({ ...body, request_id: "", policy: headers.get("ratelimit-policy") });
    }
    expect(answers[0]).to.deep.equal(answers[1]);
  });

  it("B10: an account's are counted by all instances together", async () => {
    const api = await start();
    const other = await world?.startApi();
    if (other === undefined) throw new TypeError("a second one");
    expect(await guesses(9, (index) => guess(index % 2 === 0 ? api : other))).to.deep.equal(nineWrong);
    expect([(await guess(other)).status, (await guess(api)).status]).to.deep.equal([429, 429]);
  });

  it("of which there are too many at once: too-busy, with Retry-After, and none of them counts", async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    const verify = async () => {
      asked += 1;
      await released;
      return false;
    };
    const hasher = { ...fastHasher, verify };
    world = await createApiWorld({ hasher, settings: { LOGIN_FAILURES_PER_ADDRESS: 0 } });
    await world.startWorker();
    const api = await world.startApi();
    const answers: Answer[] = [];
    const calls = Array.from({ length: 110 }, async (_, index) => {
      answers.push(await guess(api, `person-${index}@example.com`));
    });
    await eventually(() => expect(answers).to.have.length(11));
    for (const answer of answers) expectProblem(answer, "too-busy");
    expect(asked).to.equal(3);
    release();
    await Promise.all(calls);
    expect(answers.slice(11).every(({ status }) => status === 401)).to.equal(true);
  });

  it("those that succeed do not count, and neither do malformed ones", async () => {
    const api = await start();
    for (let round = 0; round < 15; round += 1) {
      expect((await attempt(api, administrator.email, administrator.password)).status).to.equal(200);
      expectProblem(await attempt(api, administrator.email, ""), "validation-failed");
    }
    expect(await guesses(9, () => guess(api))).to.deep.equal(nineWrong);
    expect((await attempt(api, administrator.email, administrator.password)).status).to.equal(200);
  });

  it("a burst of guesses gets no further than one after another", async () => {
    let asked = 0;
    const verify = async () => {
      asked += 1;
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return false;
    };
    world = await createApiWorld({ hasher: { ...fastHasher, verify } });
    await world.startWorker();
    const api = await world.startApi();
    const answers = await Promise.all(Array.from({ length: 40 }, () => guess(api)));
    expect(asked).to.equal(10);
    const wrong = answers.filter(({ status }) => status === 401);
    expect(wrong).to.have.length(9);
    expect(answers.filter(({ status }) => status === 429)).to.have.length(31);
  });

  it("an account's limit can be another, or none", async () => {
    const api = await start({ LOGIN_FAILURES_PER_ACCOUNT: 2, LOGIN_FAILURES_PER_ADDRESS: 0 });
    expect(await guesses(3, () => guess(api))).to.deep.equal([401, 429, 429]);
    await world?.close();

    const unlimited = await start({ LOGIN_FAILURES_PER_ACCOUNT: 0, LOGIN_FAILURES_PER_ADDRESS: 0 });
    expect(await guesses(12, () => guess(unlimited))).to.deep.equal([...nineWrong, 401, 401, 401]);
    expect((await guess(unlimited)).headers.get("ratelimit")).to.equal(null);
  });

  describe("of an address", () => {
    const settings = { LOGIN_FAILURES_PER_ADDRESS: 3 };
    const spray = (api: TestApi, forwardedFor: (index: number) => string) =>
      guesses(4, (index) =>
        guess(api, `person-${index}@example.com`, { "x-forwarded-for": forwardedFor(index) }),
      );

    it("over many accounts: rate-limited", async () => {
      const api = await start(settings);
      expect(await spray(api, () => "")).to.deep.equal([401, 401, 429, 429]);
    });

    it("B18: who claims to be somebody else each time is believed nothing", async () => {
      const api = await start(settings);
      expect(await spray(api, (index) => `192.0.2.${index}`)).to.deep.equal([401, 401, 429, 429]);
    });

    it("behind a trusted proxy are those of whom the proxy names last", async () => {
      const api = await start({ ...settings, TRUST_PROXY: "1" });
      expect(await spray(api, (index) => `192.0.2.${index}`)).to.deep.equal([401, 401, 401, 401]);
      expect(await spray(api, (index) => `192.0.2.${index}, 198.51.100.1`)).to.deep.equal([
        401, 401, 429, 429,
      ]);
    });

    it("behind proxies that are named are those of the last one who is none of them", async () => {
      const api = await start({ ...settings, TRUST_PROXY: "127.0.0.0/8, 10.0.0.0/8" });
      expect(await spray(api, (index) => `192.0.2.${index}, 198.51.100.1, 10.1.2.3`)).to.deep.equal([
        401, 401, 429, 429,
      ]);
    });
  });
});
