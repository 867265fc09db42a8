import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { ownSource, type QuashEvent } from "../../shared/events/event.ts";
import { createWorkerWorld, namespace, type WorkerWorld } from "../support/worker-world.ts";

type Headers = Readonly<Record<string, string | Uint8Array | readonly Uint8Array[]>>;

const bytes = (text: string) => new TextEncoder().encode(text);
const cloudEvent = (changed: Record<string, unknown> = {}) =>
  JSON.stringify({
    specversion: "1.0",
    id: "k-1",
    source: "/hr",
    type: "user.deactivated",
    subject: "somebody",
    ...changed,
  });
const own = (changed: Record<string, unknown>) => cloudEvent({ source: ownSource(namespace), ...changed });

interface Row {
  readonly what: string;
  readonly value: string | Uint8Array | null;
  readonly headers?: Headers;
  readonly reason: string;
}

const rows: Readonly<Record<string, readonly Row[]>> = {
  K1: [
    { what: "a value of null", value: null, reason: "not-json" },
    { what: "an empty value", value: "", reason: "not-json" },
    { what: "bytes that are not UTF-8", value: Uint8Array.of(0x7b, 0xc3, 0x28, 0x7d), reason: "not-json" },
    { what: "what is no JSON", value: "{not json", reason: "not-json" },
    { what: "an array", value: "[]", reason: "not-json" },
    { what: "a string", value: '"deactivate"', reason: "not-json" },
    { what: "a number", value: "7", reason: "not-json" },
    { what: "null in JSON", value: "null", reason: "not-json" },
    { what: "a byte order mark", value: `\uFEFF${cloudEvent()}`, reason: "not-json" },
  ],
  K2: [
    ...["specversion", "id", "source", "type"].map((name) => ({
      what: `an event without ${name}`,
      value: cloudEvent({ [name]: undefined }),
      reason: "envelope-invalid",
    })),
    { what: "specversion 0.3", value: cloudEvent({ specversion: "0.3" }), reason: "envelope-invalid" },
    {
      what: "data in another format",
      value: cloudEvent({ datacontenttype: "application/xml" }),
      reason: "envelope-invalid",
    },
    {
      what: "binary mode without ce_ headers",
      value: "{}",
      headers: { "content-type": "application/json" },
      reason: "envelope-invalid",
    },
    {
      what: "a batch",
      value: `[${cloudEvent()}]`,
      headers: { "content-type": "application/cloudevents-batch+json" },
      reason: "envelope-invalid",
    },
  ],
  K3: [{ what: "an unknown type", value: cloudEvent({ type: "user.promoted" }), reason: "unknown-type" }],
  K4: [
    { what: "no subject", value: cloudEvent({ subject: undefined }), reason: "data-invalid" },
    {
      what: "an object for a subject",
      value: cloudEvent({ subject: { $ne: null } }),
      reason: "data-invalid",
    },
    { what: "an empty subject", value: cloudEvent({ subject: "" }), reason: "data-invalid" },
    { what: "a subject of 4 KB", value: cloudEvent({ subject: "x".repeat(4_096) }), reason: "data-invalid" },
    { what: "NUL in a subject", value: cloudEvent({ subject: "a\u0000b" }), reason: "data-invalid" },
    {
      what: "half an external identity",
      value: cloudEvent({ subject: undefined, data: { external: { iss: "x" } } }),
      reason: "data-invalid",
    },
  ],
  K5: [
    ...["yesterday", "2026-01-15", "2026-01-15 12:00:00Z", "2026-01-15T12:00:00", 1_768_478_400].map(
      (time) => ({
        what: `the time ${JSON.stringify(time)}`,
        value: cloudEvent({ time }),
        reason: "clock-out-of-range",
      }),
    ),
    {
      what: "a time before 2000",
      value: cloudEvent({ time: "1999-12-31T23:59:59Z" }),
      reason: "clock-out-of-range",
    },
    {
      what: "a time more than a day ahead",
      value: cloudEvent({ time: "2026-01-17T12:00:00Z" }),
      reason: "clock-out-of-range",
    },
  ],
  K6: [-1, 1.5, "1", 2 ** 53, null, true].map((epoch) => ({
    what: `an own event with the epoch ${JSON.stringify(epoch)}`,
    value: own({ data: { epoch } }),
    reason: "data-invalid",
  })),
  K7: [
    { what: "a value of 5 MB", value: cloudEvent({ filler: "x".repeat(5_000_000) }), reason: "too-large" },
    {
      what: "10,000 headers",
      value: cloudEvent(),
      headers: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`h${at}`, "x"])),
      reason: "too-large",
    },
  ],
  K11: [
    { what: "__proto__", value: '{"__proto__":{"id":"1"},"specversion":"1.0"}', reason: "data-invalid" },
    {
      what: "a member that is given twice",
      value: cloudEvent().replace('"id"', '"subject":"other","id"'),
      reason: "data-invalid",
    },
    {
      what: "__proto__ in the data",
      value: cloudEvent({ data: {} }).replace("{}", '{"__proto__":{"epoch":9}}'),
      reason: "data-invalid",
    },
  ],
};

describe("bad events, through the revoker", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
  });
  afterEach(() => world.close());

  async function publish(value: Row["value"], headers: Headers = {}): Promise<void> {
    const record = { key: "k", value: typeof value === "string" ? bytes(value) : value, headers };
    await world.eventLog.publish("events", [record]);
    await world.platform.advance(1_000);
  }
  /** Another one behind it in its partition is applied, so nothing is stuck. */
  async function expectPartitionGoesOn(): Promise<void> {
    const { id } = await world.addUser();
    await world.platform.advance(1_000);
    await publish(cloudEvent({ id: "behind", subject: id }));
    expect(await world.database.users.findById(id)).to.include({ status: "deactivated" });
    expect(world.logServer.lag).to.equal(0);
  }

  for (const [row, inputs] of Object.entries(rows)) {
    for (const { what, value, headers, reason } of inputs) {
      it(`${row}: sets ${what} aside as ${reason}, hits nobody, and goes on`, async () => {
        const bystander = await world.addUser();
        const jti = await world.addToken(bystander.id);
        await publish(value, headers);

        expect(world.deadLetterReasons()).to.deep.equal([reason]);
        expect(await world.contents()).to.deep.equal([]);
        expect(await world.isTokenRevoked(jti)).to.equal(false);
        await expectPartitionGoesOn();
      });
    }
  }

  it("K4: never relies on the record's key", async () => {
    const [named, keyed] = [await world.addUser(), await world.addUser()];
    await world.platform.advance(1_000);
    const record = { key: keyed.id, value: bytes(cloudEvent({ subject: named.id })), headers: {} };
    await world.eventLog.publish("events", [record]);
    await world.platform.advance(1_000);

    expect(await world.database.users.findById(named.id)).to.include({ status: "deactivated" });
    expect(await world.database.users.findById(keyed.id)).to.include({ status: "active" });
  });

  it("K5: takes the record's timestamp where the time is missing", async () => {
    const { id } = await world.addUser();
    await world.platform.advance(1_000);
    const appendedAtMs = world.platform.clock.wallMs();
    await publish(cloudEvent({ subject: id }));

    expect(world.deadLetterReasons()).to.deep.equal([]);
    expect(await world.database.users.findById(id)).to.include({
      status: "deactivated",
      statusChangedAtMs: appendedAtMs,
    });
  });

  it("K6: ignores the epoch of anybody else, whatever it is", async () => {
    for (const [at, epoch] of [-1, "x", 99, { $gt: "" }].entries()) {
      const { id } = await world.addUser();
      await world.platform.advance(1_000);
      await publish(cloudEvent({ id: `e${at}`, subject: id, data: { epoch } }));
      expect(await world.database.users.findById(id)).to.include({ status: "deactivated", epoch: 1 });
    }
    expect(world.deadLetterReasons()).to.deep.equal([]);
  });

  it("K7: cuts a dead letter that would be too large to be written, and says so", async () => {
    await publish(cloudEvent({ filler: "x".repeat(5_000_000) }));

    const [letter] = world.logServer.read("dead-letters");
    expect(letter?.value?.byteLength).to.be.below(300_000);
    expect(letter?.headers).to.include.keys("dead_letter_truncated");
  });

  it("K7: takes an empty header value as one", async () => {
    const { id } = await world.addUser();
    await world.platform.advance(1_000);
    await publish(cloudEvent({ subject: id }), { trace: new Uint8Array() });

    expect(await world.database.users.findById(id)).to.include({ status: "deactivated" });
  });

  it("K10: cuts off by time where the user is unknown, and changes nobody", async () => {
    const external = { iss: "https://idp.test", sub: "a" };
    const event: QuashEvent = world.event("user.deactivated", { details: { external } });
    await world.publish(event);

    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect((await world.cutOffOf("a", "https://idp.test"))?.notBefore).to.equal(
      Math.floor(event.timeMs / 1_000),
    );
    expect(world.deadLetterReasons()).to.deep.equal([]);
  });

  it("K10: is no change, but a cut-off, where the user is inactive already", async () => {
    const { id } = await world.addUser();
    await world.publish(await world.changeUser(id, "user.deactivated"));
    await world.platform.advance(1_000);
    const event = world.event("user.deactivated", { subject: id });
    await world.publish(event);

    expect((await world.rowOf(event))?.appliedAtMs).to.be.a("number");
    expect(await world.database.users.findById(id)).to.include({ status: "deactivated", epoch: 1 });
    expect(await world.cutOffOf(id)).to.include({ epoch: 1 });
  });
});
