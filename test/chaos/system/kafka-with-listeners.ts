import { appendFileSync } from "node:fs";
import path from "node:path";
import { kafka } from "../../services/kafka.ts";
import type { Service } from "../../services/service.ts";

export interface Listener {
  readonly name: string;
  readonly port: number;
  /** What clients are told to connect to, after they have asked through `port`. */
  readonly advertisedPort: number;
}

/** A broker tells its clients where to connect: each listener is for one process, and names that one's proxy. */
export function kafkaWithListeners(listeners: readonly Listener[]): Service {
  return {
    ...kafka,
    async prepare(place) {
      const command = await kafka.prepare(place);
      const [broker = 0, controller = 0] = place.ports;
      const plain = { name: "PLAINTEXT", port: broker, advertisedPort: broker };
      const all = [plain, ...listeners];
      const at = ({ name }: Listener, port: number) => `${name}://127.0.0.1:${port}`;
      const settings = [
        `listeners=${[...all.map((one) => at(one, one.port)), `CONTROLLER://127.0.0.1:${controller}`].join(",")}`,
        `advertised.listeners=${all.map((one) => at(one, one.advertisedPort)).join(",")}`,
        `listener.security.protocol.map=${[...all.map(({ name }) => name), "CONTROLLER"].map((name) => `${name}:PLAINTEXT`).join(",")}`,
        "inter.broker.listener.name=PLAINTEXT",
        // A broker that was killed comes back only after its session with the controller.
        "broker.session.timeout.ms=2000",
        "broker.heartbeat.interval.ms=500",
      ];
      // In a properties file the last value of a name counts.
      appendFileSync(path.join(place.data, "server.properties"), `${settings.join("\n")}\n`);
      return command;
    },
  };
}
