import { readFile } from "node:fs/promises";
import { keyRevocationIdOf } from "../../shared/events/event-id.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { SigningAlgorithm } from "../tokens/keys.ts";
import { compromise, type FileKey, type JwksFile, readJwks, retire, rotate, textOf } from "./edit-jwks.ts";
import { makeJwk } from "./generate-jwks.ts";
import { replaceFile } from "./replace-file.ts";

export type ChangeDeps = Pick<Platform, "clock" | "ids">;

/** Each says what it did and what is to be done next. Throws `KeysFault` or `config-invalid`. */
export async function rotateIn(
  path: string,
  { alg, isForced }: { alg: SigningAlgorithm | undefined; isForced: boolean },
  deps: ChangeDeps,
): Promise<string> {
  return change(path, deps, async (file) => {
    const makeKey = () => makeJwk(alg ?? signerAlg(file));
    const { keys, done, kid } = await rotate(file, { nowMs: deps.clock.wallMs(), isForced, makeKey });
    const said =
      done === "published"
        ? `published ${String(kid)}, which signs nothing yet: once every instance has the file, and ten minutes have passed, run this again to let it sign`
        : `${String(kid)} signs from now on: once every instance has the file, run: npm run keys -- retire`;
    return { keys, said };
  });
}

export function retireIn(path: string, kid: string | undefined, deps: ChangeDeps): Promise<string> {
  return change(path, deps, (file) => {
    const { keys, retired } = retire(file, { nowMs: deps.clock.wallMs(), kid });
    const said =
      retired.length === 0
        ? "there is nothing to retire: no other key has signed"
        : `retired ${retired.join(", ")}: its tokens count until they expire; its private part is gone from the file`;
    return Promise.resolve({ keys, said });
  });
}

export function compromiseIn(path: string, kid: string, deps: ChangeDeps): Promise<string> {
  return change(path, deps, async (file) => {
    const options = { nowMs: deps.clock.wallMs(), kid, makeKey: () => makeJwk(signerAlg(file)) };
    const { keys, thumbprint, signing } = await compromise(file, options);
    const next = signing === null ? "" : ` ${signing} signs from now on.`;
    const receipt = `GET /revocations/${keyRevocationIdOf(thumbprint)} says which instances refuse it.`;
    return { keys, said: `${kid} is compromised: its tokens are refused.${next} ${receipt}` };
  });
}

interface Change {
  readonly keys: readonly FileKey[];
  readonly said: string;
}

async function change(
  path: string,
  { ids }: ChangeDeps,
  make: (file: JwksFile) => Promise<Change>,
): Promise<string> {
  const from = await readFile(path, "utf8");
  const { keys, said } = await make(await readJwks(from));
  const to = textOf(keys);
  // What no instance would take must not get into the file.
  await readJwks(to);
  await replaceFile(path, { from, to }, ids);
  return said;
}

function signerAlg({ keys }: JwksFile): SigningAlgorithm {
  const signer = keys.find(({ key }) => key.retiredAtMs === null && key.compromisedAtMs === null);
  return signer?.key.alg ?? "RS256";
}
