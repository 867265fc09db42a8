import { setTimeout as delay } from "node:timers/promises";
import { Agent, type Dispatcher, request } from "undici";

/** One connection for each stream, and some for the probes. */
const dispatcher = new Agent({ pipelining: 1, headersTimeout: 30_000, bodyTimeout: 0 });
const giveUpMs = 30_000;

export async function statusOf(url: string, token: string): Promise<number> {
  const { statusCode, body } = await call(url, "/me", token);
  await body.dump();
  return statusCode;
}

/**
 * Watches one instance for the moment when it refuses the token: its own event stream says when to look, so that
 * looking costs nothing before. Resolves when the stream is open, with a promise that resolves at the 401.
 */
export async function watchRefusal(url: string, token: string): Promise<{ readonly refused: Promise<void> }> {
  const { statusCode, body } = await call(url, "/me/stream", token);
  if (statusCode !== 200) throw new Error(`${url}/me/stream answered ${statusCode}`);
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  await chunks.next();
  const refused = untilEnd(chunks).then(() => untilRefused(url, token));
  return { refused };
}

async function untilEnd(chunks: AsyncIterator<Buffer>): Promise<void> {
  while (!(await chunks.next()).done) continue;
}

/** By asking, less often the longer it takes. */
export async function untilRefused(url: string, token: string): Promise<void> {
  const startedAt = performance.now();
  while ((await statusOf(url, token)) !== 401) {
    const tookMs = performance.now() - startedAt;
    if (tookMs > giveUpMs) throw new Error(`${url} did not refuse a token within ${giveUpMs} ms`);
    await delay(Math.min(100, 2 + tookMs / 10));
  }
}

export function closeConnections(): Promise<void> {
  return dispatcher.destroy();
}

function call(url: string, path: string, token: string): Promise<Dispatcher.ResponseData> {
  return request(new URL(path, url), { dispatcher, headers: { authorization: `Bearer ${token}` } });
}
