import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { AppError } from "../../shared/errors.ts";
import { createPlatform } from "../../shared/platform.ts";
import { algorithms, type SigningAlgorithm } from "../tokens/keys.ts";
import { compromiseIn, retireIn, rotateIn } from "./change-keys.ts";
import { KeysFault } from "./edit-jwks.ts";
import { firstStart } from "./first-start.ts";
import { generateJwks } from "./generate-jwks.ts";
import { listKeys, tableOf } from "./list-keys.ts";
import { writeNewFile } from "./write-new-file.ts";

const platform = createPlatform();
const program = new Command("keys").description("Makes and changes the keys that sign access tokens.");
const fileOption = () =>
  new Option("--file <file>", "the JWK Set").env("SIGNING_KEYS_FILE").makeOptionMandatory();

program
  .command("generate")
  .description("make a JWK Set with one private key, for SIGNING_KEYS_FILE")
  .addOption(new Option("--alg <alg>", "the algorithm").choices(algorithms).default("RS256"))
  .option("--out <file>", "write it there, readable by its owner only, instead of printing it")
  .action(async ({ alg, out }: { alg: SigningAlgorithm; out?: string }) => {
    const jwks = await generateJwks(alg);
    if (out === undefined) {
      process.stdout.write(jwks);
    } else if (await writeNewFile(out, jwks, platform.ids)) {
      process.stderr.write(`wrote a new ${alg} key to ${out}; start the API with SIGNING_KEYS_FILE=${out}\n`);
    } else {
      program.error(`${out} exists; its keys may be in use, so it is not overwritten. Name another file.`);
    }
  });

program
  .command("first-start")
  .description("make signing-keys.json and admin-password in a directory, where they are missing")
  .requiredOption("--dir <dir>", "the directory; made if it is missing")
  .option("--email <email>", "the administrator's address, for the message", "admin@example.com")
  .action(async ({ dir, email }: { dir: string; email: string }) => {
    const password = await firstStart(dir, platform);
    process.stdout.write(`administrator  ${email}  ${password}\n`);
  });

program
  .command("list")
  .description("say what may be done with each key of the file; shows no key material")
  .addOption(fileOption())
  .option("--json", "one object a line")
  .action(async ({ file, json }: { file: string; json?: boolean }) => {
    const keys = await listKeys(await readFile(file, "utf8"), platform.clock);
    process.stdout.write(json ? keys.map((key) => `${JSON.stringify(key)}\n`).join("") : tableOf(keys));
  });

program
  .command("rotate")
  .description("publish a new key ahead of its use; ten minutes later, run again, let it sign")
  .addOption(fileOption())
  .addOption(
    new Option("--alg <alg>", "of a new key; as the one that signs unless given").choices(algorithms),
  )
  .option("--now", "let it sign, however short a time it has been published")
  .action(async ({ file, alg, now }: { file: string; alg?: SigningAlgorithm; now?: boolean }) =>
    say(await rotateIn(file, { alg, isForced: now === true }, platform)),
  );

// A name may begin with a hyphen, one in 64 made here does: it must not be taken for an option.
program
  .command("retire")
  .allowUnknownOption()
  .description("mark keys that do not sign any more: their tokens count until the last of them has expired")
  .argument("[kid]", "one key; all that have signed unless given")
  .addOption(fileOption())
  .action(async (kid: string | undefined, { file }: { file: string }) =>
    say(await retireIn(file, kid, platform)),
  );

program
  .command("compromise")
  .allowUnknownOption()
  .description("mark a key that somebody else may have: every instance refuses its tokens at once")
  .argument("<kid>", "its name, as list shows it")
  .addOption(fileOption())
  .action(async (kid: string, { file }: { file: string }) => say(await compromiseIn(file, kid, platform)));

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  await program.parseAsync();
} catch (error) {
  program.error(reasonOf(error));
}

/** A fault of ours is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof KeysFault) return error.message;
  if (error instanceof AppError && error.code === "config-invalid") return error.message;
  if (error instanceof Error && "syscall" in error) return `cannot read or write: ${error.message}`;
  throw error;
}
