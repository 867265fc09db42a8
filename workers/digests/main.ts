import { Command } from "commander";
import { createPlatform } from "../../shared/platform.ts";
import { createFingerprinter } from "../../shared/revocation/fingerprint.ts";
import { createFindDifferences, type Difference } from "./find-differences.ts";
import { withCopies } from "./with-copies.ts";

const platform = createPlatform();

await new Command("digests")
  .description("Whether the store holds what the ledger says, by digests of their buckets.")
  .addHelpText(
    "after",
    "\nNeeds MONGO_URL and REDIS_URL, and NAMESPACE and TOKEN_ISSUER as the workers have them." +
      "\nExits with 0 when they agree, 1 when they differ, 2 when they cannot be compared.",
  )
  .action(() =>
    withCopies({ process, environment: process.env, platform }, async ({ settings, database, store }) => {
      const ownIssuer = settings.TOKEN_ISSUER;
      const names = { fingerprint: createFingerprinter(ownIssuer), ownIssuer };
      const findDifferences = createFindDifferences({ ledger: database.ledger, store, platform, names });
      const differences = await findDifferences();
      for (const line of linesOf(differences)) process.stdout.write(`${line}\n`);
      if (differences.length > 0) process.exitCode = 1;
    }),
  )
  .parseAsync();

function linesOf(differences: readonly Difference[]): string[] {
  if (differences.length === 0) return ["ledger and store agree"];
  return differences.map(
    ({ bucket, missing, unknown }) =>
      `${bucket} differs: ${missing} missing in the store, ${unknown} unknown to the ledger`,
  );
}
