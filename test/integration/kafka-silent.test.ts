import { expect } from "chai";
import { afterEach, beforeEach, it } from "mocha";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog } from "../../shared/ports/event-log.ts";
import { eventually } from "../support/eventually.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const attempts = 6;
const record = { key: "key", value: Buffer.from("value"), headers: {} };

describeWithServices("Kafka, which takes the connection and says nothing", ["kafka"], ({ kafkaBrokers }) => {
  let link: TcpProxy;
  let log: EventLog;

  beforeEach(async () => {
    const broker = new URL(`kafka://${kafkaBrokers.split(",")[0]}`);
    link = await startTcpProxy({ host: broker.hostname, port: Number(broker.port) });
    const place = { namespace: freshNamespace(), clientId: "test", log: silentLog };
    const connect = (brokers: readonly string[]) => connectKafka({ ...place, ...createPlatform(), brokers });
    const direct = connect(kafkaBrokers.split(","));
    await direct.ensureTopics();
    await direct.close();
    log = connect([`127.0.0.1:${link.port}`]);
  });

  afterEach(async () => {
    await log.close();
    await link.close();
  });

  it("is published to once it speaks again", async function () {
    this.timeout(60_000);
    link.stall();
    // As long as it takes the client to find an open connection on which no answer comes.
    for (let i = 0; i < attempts; i += 1) {
      const failure: unknown = await log.publish("events", [record]).catch((error: unknown) => error);
      expect(failure).to.have.property("code", "dependency-unavailable");
    }
    link.restore();
    await eventually(() => log.publish("events", [record]), { timeoutMs: 20_000, intervalMs: 200 });
  });
});
