import type { GivenAnswer } from "./described-answers.ts";
import { administrator } from "./fleet.ts";

/** A JSON answer, as a test looks at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ClientOptions {
  /** Looks at every answer; throws where it must not be so. */
  readonly expectAnswer?: (answer: GivenAnswer) => void;
}

/** A small REST client for one base address. */
export function createClient(baseUrl: string, { expectAnswer = () => undefined }: ClientOptions = {}) {
  async function call(
    path: string,
    { method: given, token, body, headers = {} }: Call = {},
  ): Promise<Answer> {
    const method = given ?? (body === undefined ? "GET" : "POST");
    const answer = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expectAnswer({ method, path, status: answer.status, headers: answer.headers, text });
    return { status: answer.status, headers: answer.headers, body: parseObject(text) };
  }

  async function expectStatus(status: number, path: string, options: Call): Promise<Record<string, unknown>> {
    const answer = await call(path, options);
    if (answer.status !== status) {
      throw new Error(`${path} answered ${answer.status} for ${status}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  return {
    call,
    /** The access token. */
    async signIn(email = administrator.email, password = administrator.password): Promise<string> {
      return String((await expectStatus(200, "/auth/login", { body: { email, password } }))["access_token"]);
    },
    /** The new user's id. */
    async createUser(token: string, user: Record<string, unknown>): Promise<string> {
      return String((await expectStatus(201, "/users", { token, body: user }))["id"]);
    },
    async statusOf(token: string): Promise<number> {
      return (await call("/me", { token })).status;
    },
  };
}

export type Client = ReturnType<typeof createClient>;

function parseObject(text: string): Record<string, unknown> {
  if (!text.startsWith("{")) return {};
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === "object" && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : {};
}
