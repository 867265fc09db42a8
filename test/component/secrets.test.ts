import { expect } from "chai";
import { describe, it } from "mocha";
import { createKeyWatch } from "../../api/keys/key-watch.ts";
import { parseKeys } from "../../api/tokens/keys.ts";
import type { LoggedRecord } from "../../shared/ports/event-log.ts";
import { startWorker } from "../../workers/start-worker.ts";
import { eventually } from "../support/eventually.ts";
import { administrator } from "../support/fleet.ts";
import { freshJwk, setOf } from "../support/jwks.ts";
import { createLeaks } from "../support/leaks.ts";
import { assertionForm, createKeyedClient, createTestClient } from "../support/oauth-client.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { type ApiWorld, createApiWorld, namespace, type TestApi } from "../support/test-api.ts";
import { type Held, tryDoors } from "./secrets-doors.ts";

const password = "canary password 4711/?";

describe("secrets", () => {
  it("are in nothing that comes out, through whatever door they came, whatever is away", async function () {
    this.timeout(60_000);
    const leaks = createLeaks();
    const log = createRecordingLog();
    const jwk = await freshJwk("one");
    let file = setOf(jwk);
    const world = await createApiWorld({
      log,
      keys: await parseKeys(file),
      // Else a spent refresh token that comes again at once gets its answer again.
      settings: { REFRESH_RETRY_SECONDS: 0 },
    });
    const watch = createKeyWatch({
      path: "keys.json",
      readFile: () => Promise.resolve(file),
      timers: world.platform.timers,
      log,
    });
    const worker = await startWorker({
      settings: {
        namespace,
        issuer: world.defaults.TOKEN_ISSUER,
        syncIntervalMs: 50,
        health: { host: "127.0.0.1", port: 0 },
      },
      platform: world.platform,
      log,
      parts: world.connectParts(),
    });
    const api = await world.startApi({}, watch);
    const held = { ...(await hold(api)), ...(await holdClients(world)) };
    for (const [name, secret] of Object.entries({ ...held, key: jwk.d })) {
      if (name !== "userId" && name !== "clientId") leaks.keep(name, String(secret));
    }
    leaks.keep("the administrator's password", administrator.password);

    await tryDoors({ api, leaks, held, while: "all is well" });
    const engines = [
      ["the database", world.databaseServer],
      ["the store", world.storeServer],
      ["the log", world.logServer],
    ] as const;
    for (const [name, engine] of engines) {
      engine.setAvailable(false);
      await tryDoors({ api, leaks, held, while: `${name} is away` });
      engine.setAvailable(true);
    }
    for (const bad of [
      setOf({ ...jwk, use: "enc" }),
      setOf(jwk).slice(0, -3),
      setOf({ kty: "oct", k: jwk.d }),
    ]) {
      file = bad;
      await watch.reload();
    }

    for (const value of badEventsWith(password)) {
      await world.logServer
        .connect()
        .publish("events", [{ key: "k", value: Buffer.from(value), headers: {} }]);
    }
    await eventually(() =>
      expect(world.logServer.read("dead-letters")).to.have.length(badEventsWith("").length),
    );
    for (const { headers } of world.logServer.read("dead-letters")) {
      const text = textOfHeaders(headers);
      expect(text).to.include("dead_letter_detail: ");
      leaks.note("the headers of a dead letter", text);
    }
    leaks.note("the audit", JSON.stringify(await world.connectParts().database.audit.list({ limit: 1_000 })));
    const rows = await world.connectParts().database.ledger.list({ limit: 100 });
    leaks.note("the ledger", JSON.stringify(rows));
    for (const url of [api.url, worker.healthUrl]) {
      leaks.note("the metrics", await (await fetch(`${url}/metrics`)).text());
    }
    await api.call("/auth/logout", { method: "POST", token: held.access });
    await worker.close();
    await world.close();
    leaks.note("the log", log.text());

    expect(log.text()).to.include("http.refused").and.include("keys.file-refused").and.include("dead-letter");
    expect(leaks.size).to.be.above(100);
    expect([...new Set(leaks.found)]).to.deep.equal([]);
  });
});

/** Tokens of an administrator and of a user, with a refresh token that was spent before the last one. */
async function hold(api: TestApi): Promise<Omit<Held, "clientId" | "clientSecret" | "assertion">> {
  const email = "alice@example.com";
  const admin = await api.signIn();
  const userId = await api.createUser(admin, { email, password });
  const first = await api.call("/auth/login", { body: { email, password } });
  const spent = String(first.body["refresh_token"]);
  const second = await api.call("/auth/refresh", { body: { refresh_token: spent } });
  const { body } = await api.call("/auth/refresh", {
    body: { refresh_token: second.body["refresh_token"] },
  });
  const [access, refresh] = [String(body["access_token"]), String(body["refresh_token"])];
  return { admin, access, refresh, spent, userId, password };
}

async function holdClients(world: ApiWorld): Promise<Pick<Held, "clientId" | "clientSecret" | "assertion">> {
  const { database } = world.connectParts();
  const { id: clientId, secret: clientSecret } = await createTestClient(database, world.platform);
  const keyed = await createKeyedClient(database, world.platform);
  const { client_assertion: assertion = "" } = assertionForm(keyed, world.defaults.TOKEN_ISSUER);
  return { clientId, clientSecret, assertion };
}

function textOfHeaders(headers: LoggedRecord["headers"]): string {
  const lines = Object.entries(headers).flatMap(([name, sent]) =>
    [sent]
      .flat()
      .map((value) => `${name}: ${typeof value === "string" ? value : Buffer.from(value ?? []).toString()}`),
  );
  return lines.join("\n");
}

/** The values of dead letters are kept as they are, so these are looked for in all that is said about them. */
function badEventsWith(secret: string): string[] {
  const event = (members: object) =>
    JSON.stringify({
      specversion: "1.0",
      id: "e",
      source: "/hr",
      type: "user.deactivated",
      subject: "u",
      ...members,
    });
  return [
    `{"password": "${secret}"`,
    event({ type: secret }),
    event({ specversion: secret }),
    event({ time: secret }),
    event({ data: { reason: { secret } } }),
    event({ subject: `${secret}\u0000` }),
    event({ data: { external: { iss: secret } } }),
  ];
}
