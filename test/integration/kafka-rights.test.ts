import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { after, afterEach, before, beforeEach, it } from "mocha";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog, LoggedRecord, Topic } from "../../shared/ports/event-log.ts";
import { type Certificates, createCertificates } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { giveKafkaRights, readKafkaRights } from "../support/kafka-rights.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { type SecureKafka, startSecureKafka } from "../support/secure-kafka.ts";
import { type ApiWorld, createApiWorld } from "../support/test-api.ts";

const guide = readFileSync(join(import.meta.dirname, "..", "..", "docs", "integrating.md"), "utf8");
const rights = readKafkaRights(guide);
const users = ["quash-api", "quash-worker", "quash-operator", "hr"] as const;
type User = (typeof users)[number];
const password = "canary-kafka-rights";

const alice = { email: "alice@example.com", password: "correct horse" };
const deactivationOf = (subject: string) => ({
  key: subject,
  value: Buffer.from(
    JSON.stringify({ specversion: "1.0", id: subject, source: "/hr", type: "user.deactivated", subject }),
  ),
  headers: { "content-type": "application/cloudevents+json" },
});

describeUnlessMissing(
  "the rights that the guide gives in Kafka",
  missingPrograms(["java", "openssl"]),
  () => {
    let certificates: Certificates;
    let broker: SecureKafka;
    let world: ApiWorld;
    let log: ReturnType<typeof createRecordingLog>;
    const opened: EventLog[] = [];

    before(async function () {
      this.timeout(90_000);
      certificates = await createCertificates();
      broker = await startSecureKafka(
        certificates,
        users.map((username) => ({ username, password })),
      );
      await giveKafkaRights(broker.plain, rights);
    });
    beforeEach(async () => {
      log = createRecordingLog();
      world = await createApiWorld({ log });
    });
    afterEach(async () => {
      await world.close();
      await Promise.all(opened.splice(0).map((one) => one.close()));
    });
    after(async () => {
      await broker.close();
      await certificates.remove();
    });

    function connect(username: User): EventLog {
      const one = connectKafka({
        ...createPlatform(),
        namespace: "quash",
        clientId: username,
        brokers: [broker.sasl],
        tls: { caPem: certificates.caPem },
        sasl: { mechanism: "plain", username, password },
        log,
      });
      opened.push(one);
      return one;
    }

    async function read(eventLog: EventLog, topic: Topic): Promise<LoggedRecord[]> {
      const all: LoggedRecord[] = [];
      await eventLog.readAll(topic, async (records) => void all.push(...records));
      return all;
    }

    /** kafkajs says of a group that is not allowed that it has no coordinator. */
    const ofRights = /not authorized|group coordinator/i;
    async function expectRefused(work: Promise<unknown>, why = ofRights): Promise<void> {
      const failure: unknown = await work.catch((error: unknown) => error);
      expect(failure).to.have.property("code", "dependency-unavailable");
      expect(failure).to.have.property("cause").that.matches(why);
    }

    /** What was refused, or done by another way for want of a right. */
    const lacking = () =>
      ["kafka.refused", "kafka.topic.settings-unsure", "event.left-to-relay", "kafka.reader.close-failed"]
        .flatMap((event) => log.logged(event))
        .join("");

    async function startBoth() {
      await world.startWorker({ eventLog: connect("quash-worker") });
      const api = await world.startApi({ eventLog: connect("quash-api") });
      const token = await api.signIn();
      const id = await api.createUser(token, alice);
      return { api, token, id, hers: await api.signIn(alice.email, alice.password) };
    }

    it("are for all who use it", () => {
      const named = new Set(rights.acl.map(({ principal }) => principal.replace("User:", "")));
      expect([...named]).to.deep.equal(users);
    });

    it("let an API instance and a worker look at the topics, publish, consume and measure", async () => {
      const { api, token, id, hers } = await startBoth();
      const receipt = await api.call(`/users/${id}/deactivate?wait=enforced`, { token, method: "POST" });
      expect([receipt.status, await api.statusOf(hers)]).to.deep.equal([200, 401]);
      await connect("quash-api").ensureTopics();
      const worker = connect("quash-worker");
      await worker.ensureTopics();
      await worker.publish("events", [deactivationOf(id)]);
      await eventually(async () => {
        const lag = await worker.readLag();
        expect(lag.map(({ records }) => records)).to.deep.equal([0, 0, 0, 0, 0, 0]);
      });
      expect(lacking()).to.equal("");
    });

    it("let an upstream system say who has left, and a worker set aside what it cannot read", async () => {
      const { api, id, hers } = await startBoth();
      const [hr, operator] = [connect("hr"), connect("quash-operator")];
      const broken = { key: "broken", value: Buffer.from("no event"), headers: {} };
      await hr.publish("events", [broken, deactivationOf(id)]);
      await eventually(async () => expect(await api.statusOf(hers)).to.equal(401));

      const [letter] = await eventually(async () => {
        const letters = await read(operator, "dead-letters");
        expect(letters).to.have.length(1);
        return letters;
      });
      expect(String(letter?.value)).to.include("no event");
      await operator.publish("events", [broken]);
      await operator.publish("dead-letters", [{ key: "note", value: null, headers: {} }]);
      expect(lacking()).to.equal("");
    });

    it("keep upstream systems and the API from the group of the workers, and from dead letters", async () => {
      for (const user of ["hr", "quash-api"] as const) {
        const eventLog = connect(user);
        await expectRefused(eventLog.readLag());
        const letter = { key: "x", value: null, headers: {} };
        await expectRefused(eventLog.publish("dead-letters", [letter]));
      }
    });

    it("keep upstream systems, the API and an operator from reading events, even if they had a group", async () => {
      await connect("quash-worker").publish("events", [deactivationOf("nobody")]);
      const acl = rights.acl
        .filter(({ resourceName }) => resourceName === "quash.reader.")
        .flatMap((entry) => users.map((user) => ({ ...entry, principal: `User:${user}` })));
      await giveKafkaRights(broker.plain, { topics: [], acl });
      for (const user of ["hr", "quash-api", "quash-operator"] as const) {
        await expectRefused(read(connect(user), "events"), /not authorized to access topics/i);
      }
      expect(await read(connect("quash-worker"), "events")).to.have.length.above(0);
    });
  },
);
