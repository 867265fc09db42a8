import { spawnSync } from "node:child_process";
import { describe, it } from "mocha";

/**
 * A suite that needs something which a machine may lack. Where `missing` names anything, its tests count as skipped,
 * under a title that says what for; with REQUIRE_SERVICES=1 they are replaced by one that fails.
 */
export function describeUnlessMissing(
  title: string,
  missing: readonly string[],
  body: (this: Mocha.Suite) => void,
): void {
  if (missing.length === 0) {
    describe(title, body);
    return;
  }
  const needed = missing.join(", ");
  if (process.env["REQUIRE_SERVICES"] === "1") {
    describe(title, () => {
      it(`finds ${needed}`, () => {
        throw new Error(`${needed} must be there when REQUIRE_SERVICES=1`);
      });
    });
    return;
  }
  describe.skip(`${title} [needs ${needed}]`, body);
}

/** Those of the programs that this machine does not have. */
export function missingPrograms(names: readonly string[]): readonly string[] {
  return names.filter(
    (name) => spawnSync("sh", ["-c", 'command -v "$0"', name], { stdio: "ignore" }).status !== 0,
  );
}
