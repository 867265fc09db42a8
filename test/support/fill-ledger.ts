import { createHash } from "node:crypto";
import { createConnection } from "mongoose";

export interface FilledLedger {
  readonly rows: number;
  readonly tokens: number;
}

export interface FillOptions {
  readonly mongoUrl: string;
  readonly namespace: string;
  /** Cut-offs and marked tokens together. */
  readonly revocations: number;
  readonly tokensPerRow: number;
  readonly onProgress?: (written: number) => void;
}

type Document = Record<string, unknown>;

const atOnce = 5_000;
const hourMs = 3_600_000;

/** Enforced deactivations of long ago with their marked tokens, which all live for more than an hour from now. */
export async function fillLedger(options: FillOptions): Promise<FilledLedger> {
  const { mongoUrl, namespace, revocations, tokensPerRow, onProgress = () => undefined } = options;
  const connection = await createConnection(mongoUrl, { dbName: namespace }).asPromise();
  const nowMs = Date.now();
  const rows = Math.round(revocations / (tokensPerRow + 1));
  const tokens = revocations - rows;
  try {
    const insert = async (name: string, count: number, documentOf: (at: number) => Document) => {
      for (let from = 0; from < count; from += atOnce) {
        const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => documentOf(from + i));
        await connection.collection(name).insertMany(some, { ordered: false });
        onProgress(from + some.length);
      }
    };
    await insert("revocations", rows, (at) => rowDocument(at, tokensPerRow, nowMs));
    await insert("tokens", tokens, (at) => tokenDocument(at, at % Math.max(1, rows), nowMs));
    return { rows, tokens };
  } finally {
    await connection.close();
  }
}

export const subjectAt = (row: number) => uuidOf(`user ${row}`);
export const jtiAt = (token: number) => uuidOf(`token ${token}`);

function rowDocument(at: number, tokensRevoked: number, nowMs: number): Document {
  const eventId = uuidOf(`event ${at}`);
  const time = new Date(nowMs);
  return {
    _id: eventId,
    type: "user.deactivated",
    subject: subjectAt(at),
    epoch: 1,
    source: "/quash/filled",
    sourceEventId: eventId,
    effectiveAt: time,
    requestedAt: time,
    status: "enforced",
    until: new Date(nowMs + 2 * hourMs),
    appliedAt: time,
    incarnation: "long gone",
    position: "0000000000000001-0000000001",
    enforcedAt: time,
    tokensRevoked,
    instances: [],
  };
}

function tokenDocument(at: number, row: number, nowMs: number): Document {
  return {
    _id: jtiAt(at),
    subject: subjectAt(row),
    sid: uuidOf(`session ${row}`),
    epoch: 0,
    issuedAt: new Date(nowMs),
    // Over the minutes of an hour, as a fleet's tokens are.
    expiresAt: new Date(nowMs + hourMs + ((at * 7_919) % hourMs)),
    revokedBy: uuidOf(`event ${row}`),
  };
}

function uuidOf(seed: string): string {
  const hex = createHash("sha256").update(seed).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
