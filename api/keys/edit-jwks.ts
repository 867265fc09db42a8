import { z } from "zod";
import { compromisedAtMember, retiredAtMember } from "../tokens/import-key.ts";
import { type ListedKey, parseKeys, signerIn } from "../tokens/keys.ts";
import { longestTokenLifetimeSeconds } from "../tokens/longest-lifetime.ts";

/** A JWK as it stands in the file, with members that nobody here knows. */
export type FileKey = Readonly<Record<string, unknown>>;

/** The file of the signing keys, read for a change: each key with what it says. */
export interface JwksFile {
  readonly keys: readonly { readonly jwk: FileKey; readonly key: ListedKey }[];
}

/** The wish cannot be fulfilled; the message says what to do instead. */
export class KeysFault extends Error {
  override name = "KeysFault";
}

/** On a key that was published ahead of its use, and has signed nothing yet. */
const publishedAtMember = "quash:published_at";
/** Twice as long as whoever verifies elsewhere may keep the published keys. */
export const publishAheadMs = 600_000;
/** Nothing that a retired key signed can be valid any more, whatever the lifetime and the clocks. */
const keepRetiredMs = (longestTokenLifetimeSeconds + 600) * 1_000;

const fileSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
const privateMembers = new Set(["d", "p", "q", "dp", "dq", "qi"]);

/** Throws `config-invalid` for what no API instance would take. */
export async function readJwks(text: string): Promise<JwksFile> {
  const { listed } = await parseKeys(text);
  const { keys } = fileSchema.parse(JSON.parse(text));
  return {
    keys: listed.map((key, at) => ({ key, jwk: { ...keys[at], kid: key.kid } })),
  };
}

export function textOf(keys: readonly FileKey[]): string {
  return `${JSON.stringify({ keys }, null, 2)}\n`;
}

export interface RotateOptions {
  readonly nowMs: number;
  /** Promotes also who was published just now. */
  readonly isForced: boolean;
  readonly makeKey: () => Promise<FileKey>;
}

export interface Rotation {
  readonly keys: readonly FileKey[];
  readonly done: "published" | "promoted";
  readonly kid: unknown;
}

/** Two steps, a call for each: a new key stands second and only verifies, and later it comes first. */
export async function rotate(file: JwksFile, options: RotateOptions): Promise<Rotation> {
  const { nowMs, isForced } = options;
  const [signer, ...others] = withoutExpired(file, nowMs);
  const next = others.find(isWaiting);
  if (next === undefined) {
    const made: FileKey = { ...(await options.makeKey()), [publishedAtMember]: timeText(nowMs) };
    return { keys: [signer, made, ...others].flatMap(fromList), done: "published", kid: made["kid"] };
  }
  const dueMs = Date.parse(String(next[publishedAtMember])) + publishAheadMs;
  if (nowMs < dueMs && !isForced) {
    throw new KeysFault(
      `${String(next["kid"])} was published less than ten minutes ago, and may not be known everywhere; run this again after ${timeText(dueMs)}, or now with --now`,
    );
  }
  const rest = [signer, ...others].flatMap(fromList).filter((jwk) => jwk !== next);
  return { keys: [promoted(next), ...rest], done: "promoted", kid: next["kid"] };
}

/** Marks one key, or all that have signed and do not sign any more; their private parts go. */
export function retire(file: JwksFile, { nowMs, kid }: { nowMs: number; kid?: string | undefined }) {
  const signer = signerIn(file.keys.map(({ key }) => key));
  if (kid !== undefined) requireKid(file, kid);
  if (kid !== undefined && kid === signer?.kid) {
    throw new KeysFault(`${kid} signs; put another key in its place first: npm run keys -- rotate`);
  }
  const isMeant = ({ jwk, key }: JwksFile["keys"][number]) =>
    kid === undefined ? isUnmarked(key) && key !== signer && !isWaiting(jwk) : key.kid === kid;
  const meant = file.keys.filter((each) => isMeant(each) && isUnmarked(each.key)).map(({ key }) => key.kid);
  const keys = withoutExpired(file, nowMs).map((jwk) =>
    meant.some((each) => each === jwk["kid"])
      ? { ...publicPart(jwk), [retiredAtMember]: timeText(nowMs) }
      : jwk,
  );
  return { keys, retired: meant };
}

export interface CompromiseOptions extends Pick<RotateOptions, "nowMs" | "makeKey"> {
  readonly kid: string;
}

/** Marks a key; where it signed, the one that was published ahead takes its place, or a new one. */
export async function compromise(file: JwksFile, { nowMs, kid, makeKey }: CompromiseOptions) {
  const { thumbprint, compromisedAtMs } = requireKid(file, kid);
  if (compromisedAtMs !== null) throw new KeysFault(`${kid} is marked as compromised already`);
  const mark = { [compromisedAtMember]: timeText(nowMs) };
  const rest = file.keys
    .filter(({ key }) => key.kid !== kid)
    .map(({ jwk }) => jwk)
    .concat(
      file.keys.filter(({ key }) => key.kid === kid).map(({ jwk }) => ({ ...publicPart(jwk), ...mark })),
    );
  const wasSigner = signerIn(file.keys.map(({ key }) => key))?.kid === kid;
  if (!wasSigner) return { keys: rest, thumbprint, signing: null };
  const next = rest.find(isWaiting) ?? (await makeKey());
  return {
    keys: [promoted(next), ...rest.filter((jwk) => jwk !== next)],
    thumbprint,
    signing: String(next["kid"]),
  };
}

/** The signer first: what stood before it is marked, and its place says nothing. */
function withoutExpired(file: JwksFile, nowMs: number): FileKey[] {
  const signer = signerIn(file.keys.map(({ key }) => key));
  const isKept = ({ retiredAtMs }: ListedKey) => retiredAtMs === null || nowMs < retiredAtMs + keepRetiredMs;
  const kept = file.keys.filter(({ key }) => isKept(key));
  return [...kept.filter(({ key }) => key === signer), ...kept.filter(({ key }) => key !== signer)].map(
    ({ jwk }) => jwk,
  );
}

function requireKid({ keys }: JwksFile, kid: string): ListedKey {
  const found = keys.find(({ key }) => key.kid === kid);
  if (found === undefined) {
    throw new KeysFault(`no key of the file has the kid ${kid}; npm run keys -- list names them`);
  }
  return found.key;
}

function isWaiting(jwk: FileKey): boolean {
  return publishedAtMember in jwk && !(retiredAtMember in jwk) && !(compromisedAtMember in jwk);
}

function isUnmarked({ retiredAtMs, compromisedAtMs }: ListedKey): boolean {
  return retiredAtMs === null && compromisedAtMs === null;
}

function promoted({ [publishedAtMember]: _published, ...jwk }: FileKey): FileKey {
  return jwk;
}

function publicPart(jwk: FileKey): FileKey {
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => !privateMembers.has(member)));
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

const fromList = (jwk: FileKey | undefined): FileKey[] => (jwk === undefined ? [] : [jwk]);
