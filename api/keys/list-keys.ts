import type { Clock } from "../../shared/ports/platform.ts";
import { createKeyRing } from "../tokens/key-ring.ts";
import { parseKeys } from "../tokens/keys.ts";
import { longestTokenLifetimeSeconds } from "../tokens/longest-lifetime.ts";

/** What the file says, key by key, without key material. Throws `config-invalid`. */
export async function listKeys(text: string, clock: Pick<Clock, "wallMs">) {
  const keys = await parseKeys(text);
  const ring = createKeyRing({ keys, clock, longestLifetimeSeconds: () => longestTokenLifetimeSeconds });
  return ring.listed.map((key) => ({
    kid: key.kid,
    alg: key.alg,
    state: ring.stateOf(key),
    since: timeText(key.compromisedAtMs ?? key.retiredAtMs),
    has_private_part: key.privateKey !== null,
  }));
}

export function tableOf(keys: Awaited<ReturnType<typeof listKeys>>): string {
  const rows = keys.map(({ kid, alg, state, since }) => [kid, alg, state, since ?? ""]);
  const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
