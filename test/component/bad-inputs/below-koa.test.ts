import { expect } from "chai";
import { describe, it } from "mocha";
import type { ErrorCode } from "../../../shared/errors.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { sendRaw } from "../../support/test-api.ts";
import { withDoor } from "./door.ts";

const close = "Connection: close";
const many = (line: string, times: number) => Array.from({ length: times }, () => line);
const request = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const get = (...lines: string[]) => request("GET /livez HTTP/1.1", close, ...lines);
const login = (...lines: string[]) => request("POST /auth/login HTTP/1.1", "Host: a", close, ...lines);
const chunks = "0\r\n\r\n";

const rows: [row: string, what: string, slug: ErrorCode, bytes: string][] = [
  ["B19", "no Host", "request-malformed", get()],
  ["B19", "two Hosts, the same twice", "request-malformed", get("Host: a", "Host: a")],
  ["B19", "two Hosts in other letters", "request-malformed", get("Host: a", "hOST: b")],
  [
    "B19",
    "a second Host behind 2100 headers",
    "request-malformed",
    get("Host: a", ...many("a:", 2_100), "Host: b"),
  ],
  [
    "B19",
    "Content-Length and chunks",
    "request-malformed",
    login("Content-Length: 5", "Transfer-Encoding: chunked") + chunks,
  ],
  [
    "B19",
    "chunks and Content-Length",
    "request-malformed",
    login("Transfer-Encoding: chunked", "Content-Length: 5") + chunks,
  ],
  [
    "B19",
    "two Content-Lengths that differ",
    "request-malformed",
    login("Content-Length: 5", "Content-Length: 6"),
  ],
  [
    "B19",
    "the same Content-Length twice",
    "request-malformed",
    login("Content-Length: 0", "Content-Length: 0"),
  ],
  ["B19", "a list of Content-Lengths", "request-malformed", login("Content-Length: 0, 0")],
  ["B19", "a negative Content-Length", "request-malformed", login("Content-Length: -1")],
  ["B19", "a Content-Length with a sign", "request-malformed", login("Content-Length: +1")],
  [
    "B19",
    "a Content-Length beyond all numbers",
    "request-malformed",
    login(`Content-Length: ${"9".repeat(40)}`),
  ],
  ["B19", "a Content-Length in hexadecimal", "request-malformed", login("Content-Length: 0x5")],
  [
    "B19",
    "chunked and then another coding",
    "request-malformed",
    login("Transfer-Encoding: chunked, gzip") + chunks,
  ],
  [
    "B19",
    "another coding and then chunked",
    "request-malformed",
    login("Transfer-Encoding: gzip, chunked") + chunks,
  ],
  [
    "B19",
    "chunked twice",
    "request-malformed",
    login("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + chunks,
  ],
  ["B19", "a coding that is not known", "request-malformed", login("Transfer-Encoding: xchunked") + chunks],
  [
    "B19",
    "chunks in HTTP/1.0",
    "request-malformed",
    request("POST /auth/login HTTP/1.0", "Transfer-Encoding: chunked") + chunks,
  ],
  [
    "B19",
    "a chunk with a negative length",
    "request-malformed",
    `${login("Content-Type: application/json", "Transfer-Encoding: chunked")}-1\r\n`,
  ],
  [
    "B19",
    "a chunk longer than all numbers",
    "request-malformed",
    `${login("Content-Type: application/json", "Transfer-Encoding: chunked")}${"f".repeat(20)}\r\n`,
  ],
  ["B19", "a method that there is not", "request-malformed", get("Host: a").replace("GET", "FETCH")],
  ["B19", "a method in lower case", "request-malformed", get("Host: a").replace("GET", "get")],
  ["B19", "HTTP/1.2", "request-malformed", get("Host: a").replace("HTTP/1.1", "HTTP/1.2")],
  [
    "B19",
    "HTTP/2.0 in the request line",
    "request-malformed",
    get("Host: a").replace("HTTP/1.1", "HTTP/2.0"),
  ],
  ["B19", "HTTP/2's preface", "request-malformed", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["B19", "TLS", "request-malformed", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["B19", "line feeds alone", "request-malformed", get("Host: a").replaceAll("\r\n", "\n")],
  ["B19", "a header without a name", "request-malformed", get("Host: a", ": a")],
  ["B19", "a header without a colon", "request-malformed", get("Host: a", "abc")],
  ["B19", "a space in a header's name", "request-malformed", get("Host: a", "a b: c")],
  ["B19", "a space in the path", "request-malformed", get("Host: a").replace("/livez", "/li vez")],
  ["B19", "bytes above ASCII in the path", "request-malformed", get("Host: a").replace("/livez", "/\xe9")],
  ["T11", "a folded Host", "request-malformed", get("Host:", " a")],
  ["T11", "NUL in a header's name", "request-malformed", get("Host: a", "a\0b: c")],
  ["T11", "NUL in the path", "request-malformed", get("Host: a").replace("/livez", "/\0")],
  ["T10", "a header of 17 KB", "request-header-too-large", get("Host: a", `X-A: ${"a".repeat(17_000)}`)],
  ["T10", "a name of 17 KB", "request-header-too-large", get("Host: a", `${"a".repeat(17_000)}: a`)],
  [
    "T10",
    "17 KB of headers",
    "request-header-too-large",
    get("Host: a", ...many("abcdefgh: abcdefg", 1_200)),
  ],
  [
    "T10",
    "a target of 17 KB",
    "request-header-too-large",
    get("Host: a").replace("/livez", `/${"a".repeat(17_000)}`),
  ],
  ["-", "CONNECT", "method-not-allowed", request("CONNECT a:80 HTTP/1.1", "Host: a:80")],
  ["-", "TRACE", "method-not-allowed", get("Host: a").replace("GET", "TRACE")],
];

describe("bad inputs: what Node refuses by itself", () => {
  const door = withDoor();
  const send = (bytes: string) => sendRaw(door().api.port, Buffer.from(bytes, "latin1"));

  for (const [row, what, slug, bytes] of rows) {
    it(`${row} ${what}: ${slug}, and the connection ends`, async () => {
      const answer = await send(bytes);
      expectProblem(answer, slug);
      expect(answer.headers.get("connection")).to.equal("close");
    });
  }

  it("a method that is not allowed says which ones are", async () => {
    expect((await send(request("CONNECT a:80 HTTP/1.1", "Host: a:80"))).headers.get("allow")).to.equal("");
    expect((await send(get("Host: a").replace("GET", "TRACE"))).headers.get("allow")).to.contain("GET");
  });

  it("nothing behind a message whose end is doubtful is taken for a request", async () => {
    const smuggled = request("GET /livez HTTP/1.1", "Host: a");
    const openRequest = (...lines: string[]) => request("POST /auth/login HTTP/1.1", "Host: a", ...lines);
    for (const doubtful of [
      openRequest("Content-Length: 5", "Transfer-Encoding: chunked") + chunks,
      openRequest("Transfer-Encoding: chunked, gzip") + chunks,
      openRequest("Content-Length: 0, 0"),
      openRequest("Content-Length: 0").replace("HTTP/1.1", "HTTP/2.0"),
    ]) {
      const { status, text } = await send(doubtful + smuggled);
      expect([status, text.includes("HTTP/1.1 200")], doubtful).to.deep.equal([400, false]);
    }
  });

  it("B18 a Host or a forwarded address that is made up appears in no answer", async () => {
    for (const line of [
      "X-Forwarded-Host: evil.test",
      "X-Forwarded-Proto: evil",
      "Forwarded: host=evil.test",
      "X-Original-URL: /evil",
    ]) {
      const { status, text, headers } = await send(get("Host: evil.test:x@good", line));
      expect([status, `${text}${JSON.stringify([...headers])}`.includes("evil")], line).to.deep.equal([
        200,
        false,
      ]);
    }
  });

  it("Expect: what is not known is ignored, what is known is answered in the same shape", async () => {
    expect((await send(get("Host: a", "Expect: miracles"))).status).to.equal(200);
    const { text } = await send(
      login("Content-Type: text/plain", "Content-Length: 1", "Expect: 100-continue") + "x",
    );
    expect(text).to.contain("/problems/unsupported-media-type");
  });

  it("Upgrade: what nobody offers is ignored", async () => {
    for (const protocol of ["websocket", "h2c", "TLS/1.0"])
      expect((await send(get("Host: a", `Upgrade: ${protocol}`))).status).to.equal(200);
  });
});
