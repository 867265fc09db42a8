import { setTimeout as delay } from "node:timers/promises";
import { Agent, type Dispatcher, request } from "undici";

const giveUpMs = 30_000;

/** Asks for what is behind a token. */
export interface Asker {
  statusOf(url: string, token: string): Promise<number>;
  /**
   * Watches one instance for the moment when it refuses the token: its own event stream says when to look, so that
   * looking costs nothing before. Resolves when the stream is open, with a promise that resolves at the 401.
   */
  watchRefusal(url: string, token: string): Promise<{ readonly refused: Promise<void> }>;
  /** By asking, less often the longer it takes, until so many answers in a row were refusals. */
  untilRefused(url: string, token: string, inARow?: number): Promise<void>;
  close(): Promise<void>;
}

export function createAsker(): Asker {
  /** One connection for each stream, and some for the probes. */
  const dispatcher = new Agent({ pipelining: 1, headersTimeout: 30_000, bodyTimeout: 0 });

  const call = (url: string, path: string, token: string): Promise<Dispatcher.ResponseData> =>
    request(new URL(path, url), { dispatcher, headers: { authorization: `Bearer ${token}` } });

  const statusOf = async (url: string, token: string) => {
    const { statusCode, body } = await call(url, "/me", token);
    await body.dump();
    return statusCode;
  };

  const untilRefused = async (url: string, token: string, inARow = 1) => {
    const startedAt = performance.now();
    for (let refusals = 0; refusals < inARow; ) {
      if ((await statusOf(url, token)) === 401) {
        refusals += 1;
        continue;
      }
      refusals = 0;
      const tookMs = performance.now() - startedAt;
      if (tookMs > giveUpMs) throw new Error(`${url} did not refuse a token within ${giveUpMs} ms`);
      await delay(Math.min(100, 2 + tookMs / 10));
    }
  };

  return {
    statusOf,
    untilRefused,
    async watchRefusal(url, token) {
      const { statusCode, body } = await call(url, "/me/stream", token);
      if (statusCode !== 200) throw new Error(`${url}/me/stream answered ${statusCode}`);
      const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
      await chunks.next();
      const refused = untilEnd(chunks).then(() => untilRefused(url, token));
      // Whoever opened others of them too may have given up by the time at which this one fails.
      refused.catch(() => undefined);
      return { refused };
    },
    close: () => dispatcher.destroy(),
  };
}

async function untilEnd(chunks: AsyncIterator<Buffer>): Promise<void> {
  while (!(await chunks.next()).done) continue;
}
