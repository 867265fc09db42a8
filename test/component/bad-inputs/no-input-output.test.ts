import { createHook } from "node:async_hooks";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { connect } from "node:net";
import { expect } from "chai";
import { describe, it } from "mocha";
import { encodePart, type TokenForge } from "../../support/token-forge.ts";
import { withDoor } from "./door.ts";

const evil = "http://127.0.0.1:61234/evil";
const paths = [
  "../../../../dev/null",
  "/dev/null",
  "/etc/passwd",
  "file:///etc/passwd",
  "C:\\keys",
  "|sleep 10",
  evil,
];
/** Claims that may hold an address: a text like any other. */
const readByNobody = ["sub", "more", "$ref", "@context"];
const tokens: ((forge: TokenForge) => string)[] = [
  (forge) => forge.good(),
  ...paths.map((kid) => (forge: TokenForge) => forge.withHeader({ kid })),
  ...["jku", "x5u", "x5c", "jwk", "kid", "typ", "cty", "alg"].map(
    (name) => (forge: TokenForge) =>
      forge.withHeader({ [name]: name === "jwk" ? { kty: "RSA", x5u: evil } : evil }),
  ),
  ...["iss", "aud", "jti", ...readByNobody].map(
    (name) => (forge: TokenForge) => forge.withClaims({ [name]: evil }),
  ),
  () => `${encodePart({ alg: "PBES2-HS256+A128KW", p2c: 2 ** 31 })}.AA.AA.AA.AA`,
  () => "a".repeat(8_000),
];

/** Kinds of work that the runtime does outside the process, or in threads beside it, as async_hooks names them. */
const outside =
  /^(TCPCONNECTWRAP|PIPECONNECTWRAP|GETADDRINFOREQWRAP|GETNAMEINFOREQWRAP|QUERYWRAP|UDPWRAP|FSREQ|FILEHANDLE|PROCESSWRAP|WORKER|STATWATCHER|FSEVENT|PBKDF2|SCRYPT|SIGNREQUEST|KEYPAIRGEN)/;

/** What reads files or starts programs without a callback. */
const synchronous: Readonly<Record<string, readonly string[]>> = {
  fs: [
    "readFileSync",
    "openSync",
    "readSync",
    "statSync",
    "lstatSync",
    "existsSync",
    "accessSync",
    "readdirSync",
    "realpathSync",
  ],
  child_process: ["spawnSync", "execSync", "execFileSync"],
};

describe("what a token makes the API do", () => {
  const door = withDoor();

  it("G25-G28, G42-G47 is no connection, no look-up of a name, no file and no process", async () => {
    const { api, forge } = door();
    // One connection for all of it, so that no other one is ever opened from here.
    const socket = connect(api.port, "127.0.0.1");
    const answers = createAnswers(socket);
    const ask = (token: string) =>
      answers.next(`GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    const sent = tokens.map((token) => token(forge));
    // What is loaded with the first use is there before anything is watched.
    for (const token of sent) await ask(token);

    const seen: string[] = [];
    const watched = watch(seen);
    const statuses: number[] = [];
    try {
      for (const token of sent) statuses.push(await ask(token));
    } finally {
      watched.stop();
      socket.destroy();
    }
    expect(statuses.filter((status) => status === 200)).to.have.length(1 + readByNobody.length);
    expect(statuses.filter((status) => status === 401)).to.have.length(sent.length - 1 - readByNobody.length);
    expect(seen).to.deep.equal([]);
  });

  it("would be noticed if it were any of these", async () => {
    const fs = await import("node:fs");
    const { lookup } = await import("node:dns/promises");
    const seen: string[] = [];
    const watched = watch(seen);
    fs.existsSync("/dev/null");
    await lookup("localhost");
    await fetch(evil).catch(() => undefined);
    watched.stop();
    expect(seen).to.include("fs.existsSync").and.include("GETADDRINFOREQWRAP").and.include("TCPCONNECTWRAP");
  });
});

/** What compiles the sources tidies up its files in the background. */
function isLoader(): boolean {
  return new Error().stack?.includes("node_modules/tsx/") ?? false;
}

function watch(seen: string[]): { stop(): void } {
  const hook = createHook({
    init: (_id, type) => void (outside.test(type) && !isLoader() && seen.push(type)),
  }).enable();
  const undo = Object.entries(synchronous).flatMap(([module, names]) =>
    names.map((name) => spyOn(module, name, seen)),
  );
  syncBuiltinESMExports();
  return {
    stop() {
      hook.disable();
      for (const one of undo) one();
      syncBuiltinESMExports();
    },
  };
}

function spyOn(module: string, name: string, seen: string[]): () => void {
  const exported: Record<string, unknown> = createRequire(import.meta.url)(`node:${module}`);
  const original = exported[name];
  if (typeof original !== "function") throw new TypeError(`${module} has no ${name}`);
  exported[name] = (...given: unknown[]): unknown => {
    seen.push(`${module}.${name}`);
    return Reflect.apply(original, exported, given);
  };
  return () => {
    exported[name] = original;
  };
}

/** The statuses of the answers that come over a connection, one for each request. */
function createAnswers(socket: ReturnType<typeof connect>) {
  let received = "";
  let waiting: ((status: number) => void) | undefined;
  socket.setEncoding("latin1").on("data", (chunk) => {
    received += String(chunk);
    const head = received.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? Number.NaN);
    if (head === -1 || received.length < head + 4 + length) return;
    const status = Number(received.split(" ")[1]);
    received = "";
    waiting?.(status);
  });
  return {
    next: (request: string) =>
      new Promise<number>((resolve) => {
        waiting = resolve;
        socket.write(request);
      }),
  };
}
