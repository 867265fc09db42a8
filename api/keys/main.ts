import { Command, Option } from "commander";
import { createPlatform } from "../../shared/platform.ts";
import { algorithms, type SigningAlgorithm } from "../tokens/keys.ts";
import { firstStart } from "./first-start.ts";
import { generateJwks } from "./generate-jwks.ts";
import { writeNewFile } from "./write-new-file.ts";

const platform = createPlatform();
const program = new Command("keys").description("Makes the keys that sign access tokens.");

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

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Error) || !("syscall" in error)) throw error;
  program.error(`cannot write: ${error.message}`);
}
