import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import jwt from "jsonwebtoken";
import { parseKeys } from "../../../api/tokens/keys.ts";
import { encodeEvent } from "../../../shared/events/encode-event.ts";
import { ownSource } from "../../../shared/events/event.ts";
import { silentLog } from "../../../shared/log.ts";
import { connectMongo } from "../../../shared/mongo/database.ts";
import { createPlatform } from "../../../shared/platform.ts";
import type { UsedServices } from "../../services/start-services.ts";
import { createFleet } from "../../support/fleet.ts";
import type { Course, Published } from "./measure.ts";

/** Defaults of the product's settings. */
const issuer = "https://quash.example";
const audience = "quash";

export interface ProductOptions {
  readonly services: UsedServices;
  readonly namespace: string;
  readonly instances: number;
  /** Events of the API itself, or of another system, which change the user first. */
  readonly kind: "own" | "upstream";
}

/** The real processes: instances that serve event streams, and a worker. */
export async function openProduct(options: ProductOptions): Promise<Course> {
  const { services, namespace, instances, kind } = options;
  const fleet = await createFleet({ ...services, namespace });
  await fleet.startWorker();
  const apis = await Promise.all(Array.from({ length: instances }, () => fleet.startApi()));
  const keys = await parseKeys(readFileSync(fleet.keysFile, "utf8"));
  const database = await connectMongo({
    url: services.mongoUrl,
    namespace,
    log: silentLog,
    ...createPlatform(),
  });

  function tokenOf(subject: string): string {
    const iat = Math.floor(Date.now() / 1_000);
    const [jti, sid] = [randomUUID(), randomUUID()];
    const claims = {
      iss: issuer,
      aud: audience,
      sub: subject,
      client_id: "quash",
      iat,
      exp: iat + 900,
      jti,
      sid,
    };
    const { kid, alg, key } = keys.signing;
    return jwt.sign({ ...claims, epoch: 0, roles: ["user"] }, key, {
      algorithm: alg,
      header: { alg, typ: "at+jwt", kid },
    });
  }

  const eventOf = (subject: string): Published =>
    kind === "own" ? ownEvent(subject) : upstreamEvent(subject);

  function ownEvent(subject: string): Published {
    const event = {
      id: randomUUID(),
      source: ownSource(namespace),
      type: "user.deactivated" as const,
      subject,
      timeMs: Date.now(),
      details: { epoch: 1 },
    };
    const { value, headers } = encodeEvent(event);
    return { key: subject, value: Buffer.from(value ?? []), headers: headersOf(headers) };
  }

  return {
    name: kind === "own" ? "Quash, own events" : "Quash, upstream events",
    topic: `${namespace}.user-events`,
    async prepare(subjects) {
      if (kind === "upstream") for (const id of subjects) await createUser(id);
      return subjects.map((subject) => {
        const headers = { authorization: `Bearer ${tokenOf(subject)}` };
        return {
          watches: apis.map(({ url }) => ({ url: `${url}/me/stream`, headers })),
          record: eventOf(subject),
        };
      });
    },
    background: ownEvent,
    async close() {
      await database.close();
      await fleet.close();
    },
  };

  async function createUser(id: string): Promise<void> {
    const rest = {
      passwordHash: "none",
      roles: ["user"] as const,
      externalIds: [],
      createdAtMs: Date.now() - 1_000,
    };
    await database.users.create({ id, email: `${id}@bench.example.com`, ...rest });
  }
}

function upstreamEvent(subject: string): Published {
  const event = {
    specversion: "1.0",
    id: randomUUID(),
    source: "/bench",
    type: "user.deactivated",
    subject,
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    data: {},
  };
  const headers = { "content-type": "application/cloudevents+json" };
  return { key: subject, value: JSON.stringify(event), headers };
}

/** As the producer wants them. */
function headersOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
