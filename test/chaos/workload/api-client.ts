import { Agent, request } from "undici";

export interface TimedAnswer {
  readonly sent: number;
  readonly done: number;
  /** 0: no answer came. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ApiCall {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly token?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number;
}

/** Calls one instance, and never throws: that no answer came is an answer here. */
export interface ApiClient {
  readonly name: string;
  call(path: string, options?: ApiCall): Promise<TimedAnswer>;
  close(): Promise<void>;
}

export function createApiClient(name: string, url: string): ApiClient {
  const agent = new Agent({ connections: 64, pipelining: 1, connectTimeout: 3_000 });
  return {
    name,
    async call(path, { method, token, body, timeoutMs = 8_000 } = {}) {
      const sent = Date.now();
      try {
        const answer = await request(new URL(path, url), {
          dispatcher: agent,
          method: method ?? (body === undefined ? "GET" : "POST"),
          headers: {
            ...(body !== undefined && { "content-type": "application/json" }),
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await answer.body.text();
        return { sent, done: Date.now(), status: answer.statusCode, body: parseObject(text) };
      } catch (error) {
        return { sent, done: Date.now(), status: 0, body: { error: String(error) } };
      }
    },
    close: () => agent.destroy(),
  };
}

export function slugOf({ body }: Pick<TimedAnswer, "body">): string | undefined {
  const { type } = body;
  return typeof type === "string" ? type.split("/").at(-1) : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  if (!text.startsWith("{")) return {};
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === "object" && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : {};
}
