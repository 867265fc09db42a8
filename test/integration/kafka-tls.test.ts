import { expect } from "chai";
import { after, afterEach, before, it } from "mocha";
import type { KafkaOptions } from "../../shared/kafka/client.ts";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog, LoggedRecord } from "../../shared/ports/event-log.ts";
import { type Certificates, createCertificates } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { kafkaStranger, kafkaUser, type SecureKafka, startSecureKafka } from "../support/secure-kafka.ts";
import { freshNamespace } from "../support/services.ts";

type Way = Partial<Pick<KafkaOptions, "brokers" | "tls" | "sasl">>;

const wrong = "canary-kafka-wrong";

describeUnlessMissing("Kafka with TLS and SASL", missingPrograms(["java", "openssl"]), () => {
  const log = createRecordingLog();
  const opened: EventLog[] = [];
  let certificates: Certificates;
  let broker: SecureKafka;

  before(async function () {
    this.timeout(90_000);
    certificates = await createCertificates();
    broker = await startSecureKafka(certificates);
  });
  afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));
  after(async () => {
    await broker.close();
    await certificates.remove();
    const secrets = [kafkaUser.password, kafkaStranger.password, wrong];
    expect(secrets.filter((secret) => log.text().includes(secret))).to.deep.equal([]);
  });

  const trusted = () => ({ caPem: certificates.caPem });
  function connect(way: Way, namespace = freshNamespace()): EventLog {
    const brokers = way.brokers ?? [broker.sasl];
    const one = connectKafka({ ...createPlatform(), namespace, clientId: "test", log, ...way, brokers });
    opened.push(one);
    return one;
  }

  const ways: readonly [string, () => Way][] = [
    ["TLS", () => ({ brokers: [broker.tls], tls: trusted() })],
    ["SCRAM over TLS", () => ({ tls: trusted(), sasl: { mechanism: "scram-sha-512", ...kafkaUser } })],
    ["PLAIN over TLS", () => ({ tls: trusted(), sasl: { mechanism: "plain", ...kafkaUser } })],
  ];
  for (const [what, way] of ways) {
    it(`makes topics, takes and hands out events over ${what}`, async () => {
      const events = connect(way());
      await events.ensureTopics();
      await events.publish("events", [{ key: "k", value: Buffer.from("v"), headers: {} }]);
      const read: LoggedRecord[] = [];
      await events.readAll("events", async (records) => void read.push(...records));
      expect(read).to.have.length(1);
    });
  }

  const faults: readonly [what: string, advice: string, way: () => Way][] = [
    ["an authority that is not known", "KAFKA_CA_FILE", () => ({ brokers: [broker.tls], tls: {} })],
    [
      "a wrong password",
      "KAFKA_PASSWORD",
      () => ({ tls: trusted(), sasl: { mechanism: "scram-sha-512", ...kafkaUser, password: wrong } }),
    ],
    [
      "a wrong password, said by PLAIN",
      "KAFKA_PASSWORD",
      () => ({ tls: trusted(), sasl: { mechanism: "plain", ...kafkaUser, password: wrong } }),
    ],
    [
      "a mechanism that is not offered",
      "choose another one",
      () => ({ tls: trusted(), sasl: { mechanism: "scram-sha-256", ...kafkaUser } }),
    ],
    [
      "SASL where there is none",
      "leave out KAFKA_SASL_MECHANISM",
      () => ({ brokers: [broker.tls], tls: trusted(), sasl: { mechanism: "plain", ...kafkaUser } }),
    ],
    ["no SASL where it is expected", "set KAFKA_SASL_MECHANISM", () => ({ tls: trusted() })],
    ["no TLS where it is expected", "set KAFKA_TLS to true", () => ({ brokers: [broker.tls] })],
    [
      "TLS where there is none",
      "set KAFKA_TLS to false",
      () => ({ brokers: [broker.plain], tls: trusted() }),
    ],
    [
      "a user without rights",
      "lacks rights",
      () => ({ tls: trusted(), sasl: { mechanism: "scram-sha-512", ...kafkaStranger } }),
    ],
  ];
  for (const [what, advice, way] of faults) {
    it(`is away, and the log says what to change for ${what}`, async () => {
      const before = log.logged("kafka.refused").length;
      const events = connect(way());
      await eventually(async () => {
        const failure: unknown = await events.ensureTopics().catch((error: unknown) => error);
        expect(failure).to.have.property("code", "dependency-unavailable");
        expect(log.logged("kafka.refused").slice(before).join("")).to.include(advice);
      });
    });
  }

  it("says so to who may not publish, too", async () => {
    const namespace = freshNamespace();
    await connect({ brokers: [broker.plain] }, namespace).ensureTopics();
    const events = connect({ tls: trusted(), sasl: { mechanism: "plain", ...kafkaStranger } }, namespace);
    const before = log.logged("kafka.refused").length;
    await events.publish("events", [{ key: "k", value: null, headers: {} }]).catch(() => undefined);
    expect(log.logged("kafka.refused").slice(before).join("")).to.include("lacks rights");
  });
});
