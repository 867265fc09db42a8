import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allOperations } from "../../api/openapi/all-operations.ts";
import { templateOf } from "../../api/openapi/create-document.ts";
import { administrator } from "../support/fleet.ts";
import { createTestClient } from "../support/oauth-client.ts";
import { createApiWorld, fastHasher } from "../support/test-api.ts";
import { installTester, runTester } from "./tester.ts";

/** Has the property-based tester call the API, on embedded parts, and says what it found. */
const tester = await installTester(process.env);
const administratorId = randomUUID();
const world = await createApiWorld({
  settings: {
    // What is wrong on purpose comes from one address.
    LOGIN_FAILURES_PER_ADDRESS: 0,
    LOGIN_FAILURES_PER_ACCOUNT: 0,
    // So that there is something to confirm. What the administrator of most calls deletes is gone at once.
    HOLD_ABOVE_USERS_PER_MINUTE: 1,
    HOLD_TRUSTED_SOURCES: administratorId,
  },
});
const { database } = world.connectParts();
await database.users.create({
  id: administratorId,
  email: administrator.email,
  passwordHash: await fastHasher.hash(administrator.password),
  roles: ["admin", "user"],
  externalIds: [],
  createdAtMs: world.platform.clock.wallMs(),
});
const client = await createTestClient(database, world.platform, ["operator", "emitter"]);
await world.startWorker();
const { url } = await world.startApi();
const folder = await mkdtemp(join(tmpdir(), "quash-schemathesis-"));
const statusesFile = join(folder, "statuses.json");
try {
  // From a file: it would not call the address that it has the document from.
  const documentFile = join(folder, "openapi.json");
  await writeFile(documentFile, await (await fetch(`${url}/openapi.json`)).text());
  const code = await runTester(tester, {
    url,
    documentFile,
    arguments: process.argv.slice(2),
    environment: {
      ...process.env,
      QUASH_URL: url,
      QUASH_ADMIN_EMAIL: administrator.email,
      QUASH_ADMIN_PASSWORD: administrator.password,
      QUASH_CLIENT_ID: client.id,
      QUASH_CLIENT_SECRET: client.secret,
      QUASH_STATUSES_FILE: statusesFile,
    },
  });
  const unanswered = withoutSuccess(JSON.parse(readFileSync(statusesFile, "utf8")));
  for (const operation of unanswered) process.stdout.write(`never answered with 2xx: ${operation}\n`);
  process.exitCode = code === 0 && unanswered.length === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
  await world.close();
}

/** The operations that were never called as they are meant to be. */
function withoutSuccess(statuses: Readonly<Record<string, Readonly<Record<string, number>>>>): string[] {
  return allOperations
    .map(({ method, path }) => `${method.toUpperCase()} ${templateOf(path)}`)
    .filter((operation) => !Object.keys(statuses[operation] ?? {}).some((status) => status.startsWith("2")));
}
