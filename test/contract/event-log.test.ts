import { describe } from "mocha";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import { commitBehindTheEnd, deleteEvents } from "../support/kafka-retention.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { itIsAnEventLog } from "./event-log.contract.ts";

describe("the in-process event log", () => {
  itIsAnEventLog(() => {
    const server = new InProcessEventLogServer(createPlatform());
    const nobody = new InProcessEventLogServer(createPlatform());
    nobody.setAvailable(false);
    return {
      connect: () => server.connect(),
      deleteEvents: async () => server.deleteEventsBefore(Infinity),
      loseTheEnd: async () => server.loseTheEnd(),
      connectToNobody: () => nobody.connect(),
    };
  });
});

describeWithServices("the event log on Kafka", ["kafka"], ({ kafkaBrokers }) => {
  itIsAnEventLog(() => {
    const { timers, ids } = createPlatform();
    const shared = { namespace: freshNamespace(), clientId: "contract", log: silentLog, timers, ids };
    return {
      connect: () => connectKafka({ ...shared, brokers: kafkaBrokers.split(",") }),
      deleteEvents: () => deleteEvents(kafkaBrokers, shared.namespace),
      loseTheEnd: () => commitBehindTheEnd(kafkaBrokers, shared.namespace),
      connectToNobody: () => connectKafka({ ...shared, brokers: ["127.0.0.1:9"] }),
    };
  });
});
