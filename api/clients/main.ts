import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { createGuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import { createPlatform } from "../../shared/platform.ts";
import { type ClientRole, clientRoles } from "../oauth/client-roles.ts";
import { createChangeUser } from "../users/change-user.ts";
import { createArgon2Hasher } from "../users/password-hasher.ts";
import { createCreateClient } from "./create-client.ts";
import { createDeleteClient } from "./delete-client.ts";
import { listClients } from "./list-clients.ts";
import { type OpenDatabase, withDatabase } from "./with-database.ts";

/** As the audit names whoever runs it. */
const actor = "npm run clients";
const platform = createPlatform();
const program = new Command("clients")
  .description("OAuth clients: services that get tokens of their own, introspect tokens, and revoke them.")
  .addHelpText("after", "\nNeeds MONGO_URL, and NAMESPACE as the API has it.");

program
  .command("create")
  .description("make one, and print its id and its secret, which is kept nowhere")
  .argument("<name>", "what people call it")
  .addOption(
    new Option("--role <role...>", "what it may do beside introspecting tokens and revoking its own")
      .choices(clientRoles)
      .default([]),
  )
  .option(
    "--public-keys <file>",
    "a JWK Set of public keys: it authenticates with private_key_jwt, and has no secret",
  )
  .option("--source <uri...>", "the only sources that its events may name; any unless given", [])
  .option("--json", "print one JSON object")
  .action(async (name: string, { role, source, publicKeys, json }: CreateOptions) => {
    const jwks = publicKeys === undefined ? undefined : await readKeys(publicKeys);
    await run(async ({ database, audit }) => {
      await database.migrate();
      const createClient = createCreateClient({
        ...platform,
        ...database,
        audit,
        actor,
        hasher: createArgon2Hasher(),
      });
      const { client, secret } = await createClient({
        name,
        roles: [...new Set(role)],
        sources: [...new Set(source)],
        jwks,
      });
      const shown = { client_id: client.id, ...(secret !== null && { client_secret: secret }) };
      if (json === true) return print(JSON.stringify(shown));
      for (const [member, value] of Object.entries(shown)) print(`${member.padEnd(13)}  ${value}`);
      if (secret !== null) process.stderr.write("The secret is not shown again: only its hash is kept.\n");
    });
  });

program
  .command("list")
  .description("print them, by their ids")
  .option("--json", "one JSON object a line")
  .action(({ json }: { json?: true }) =>
    run(async ({ database }) => {
      for await (const client of listClients(database)) {
        const { client_id: id, roles, sources, status, authentication, created_at: createdAt, name } = client;
        const line = [
          id,
          status,
          roles.join(",") || "-",
          sources.join(",") || "-",
          authentication,
          createdAt,
          name,
        ].join("  ");
        print(json === true ? JSON.stringify(client) : line);
      }
    }),
  );

program
  .command("delete")
  .description("delete one; its tokens are refused as soon as a worker has published that")
  .argument("<client_id>", "as list prints it")
  .action((id: string) =>
    run(async ({ database, namespace, audit }) => {
      // The event stays in the outbox, from where the relay of any worker takes it.
      const deps = {
        ...platform,
        ...database,
        guardAdministrators: createGuardAdministrators({ ...platform, ...database }),
        audit,
        namespace,
        publish: () => undefined,
      };
      const deleteClient = createDeleteClient({
        clients: database.clients,
        audit,
        deleteUser: createChangeUser(deps, "user.deleted"),
      });
      const eventId = await deleteClient(id, actor);
      print(eventId === null ? "deleted" : `deleted; GET /revocations/${eventId} says who enforces it`);
    }),
  );

await program.parseAsync();

interface CreateOptions {
  readonly role: readonly ClientRole[];
  readonly source: readonly string[];
  readonly publicKeys?: string;
  readonly json?: true;
}

async function readKeys(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error)) throw error;
    return program.error(`cannot read ${path}: ${error.message}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function run(command: (open: OpenDatabase) => Promise<void>): Promise<void> {
  return withDatabase({ process, environment: process.env, platform }, command);
}
