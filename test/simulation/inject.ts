import { IncomingMessage, type RequestListener, ServerResponse } from "node:http";
import { Socket } from "node:net";

export interface Request {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** One request through the whole pipeline, without a socket: what a client would get. */
export function inject(handle: RequestListener, request: Request): Promise<Answer> {
  return new Promise((resolve) => {
    const message = messageOf(request);
    handle(message, new CapturedResponse(message, resolve));
  });
}

function messageOf({ method, path, token, body }: Request): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers: Record<string, string> = {
    host: "quash.test",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(text === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(text.length) }),
  };
  message.httpVersion = "1.1";
  message.httpVersionMajor = 1;
  message.httpVersionMinor = 1;
  message.method = method;
  message.url = path;
  message.headers = headers;
  message.rawHeaders = Object.entries(headers).flat();
  if (text !== undefined) message.push(text);
  message.push(null);
  return message;
}

class CapturedResponse extends ServerResponse {
  readonly #answered: (answer: Answer) => void;

  constructor(message: IncomingMessage, answered: (answer: Answer) => void) {
    super(message);
    this.#answered = answered;
  }

  override end(...args: unknown[]): this {
    const [content] = args;
    const text = typeof content === "string" || Buffer.isBuffer(content) ? content.toString() : "";
    const body: unknown = text.startsWith("{") ? JSON.parse(text) : {};
    const members = typeof body === "object" && body !== null ? Object.entries(body) : [];
    this.#answered({ status: this.statusCode, body: Object.fromEntries(members) });
    this.emit("finish");
    this.emit("close");
    return this;
  }
}
