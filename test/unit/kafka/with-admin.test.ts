import { expect } from "chai";
import { Kafka, logLevel } from "kafkajs";
import { describe, it } from "mocha";
import { withAdmin } from "../../../shared/kafka/with-admin.ts";

describe("withAdmin", () => {
  /** Its connection cannot be ended in good order. */
  function kafkaWithFault(): Pick<Kafka, "admin"> {
    const kafka = new Kafka({ brokers: ["127.0.0.1:9"], logLevel: logLevel.NOTHING });
    const disconnect = () => Promise.reject(new Error("not disconnected"));
    return { admin: () => ({ ...kafka.admin(), connect: () => Promise.resolve(), disconnect }) };
  }

  it("rejects with what the call rejects with, however the disconnecting ends", async () => {
    const fault = new Error("not allowed");
    const error = await withAdmin(kafkaWithFault(), () => Promise.reject(fault)).catch((err: unknown) => err);
    expect(error).to.equal(fault);
  });

  it("answers with what the call answered, however the disconnecting ends", async () => {
    expect(await withAdmin(kafkaWithFault(), () => Promise.resolve("answer"))).to.equal("answer");
  });
});
