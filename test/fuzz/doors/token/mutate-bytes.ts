import { type Random } from "../../../support/random.ts";
import { encodePart, partsOf } from "../../../support/token-forge.ts";
import type { TokenRequest } from "./draft.ts";
import type { Mutation } from "./mutation.ts";

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const letters = base64url.split("");
const strayCharacters = [
  "=",
  "+",
  "/",
  ".",
  " ",
  "\t",
  ",",
  '"',
  "%",
  "\0",
  "\x7f",
  "\xa0",
  "\xe9",
  "\xc3\xa9",
  "*",
  "~",
];

function changeBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  return random.pick<() => Buffer>([
    () => Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ (1 << random.integer(0, 7)) : byte))),
    () => Buffer.concat([before, Buffer.from(random.bytes(random.integer(1, 4))), after]),
    () => Buffer.concat([before, after.subarray(random.integer(1, 8))]),
    () => before,
    () => Buffer.concat([before, bytes]),
    () => Buffer.concat([Buffer.from("\ufeff"), bytes]),
    () => Buffer.concat([bytes, Buffer.from(random.pick(["{}", " ", "\0", "\n", "null"]))]),
    () =>
      Buffer.concat([
        before,
        Buffer.from(random.pick(["c080", "eda080", "f09f98", "ff", "f4908080"]), "hex"),
        after,
      ]),
    () => Buffer.from(bytes.toString("utf8"), random.pick(["utf16le", "latin1"])),
    () => Buffer.from(JSON.stringify(bytes.toString("utf8"))),
    () => Buffer.from(random.bytes(random.integer(0, 64))),
  ])();
}

function changeSignature(signature: Buffer, random: Random): Buffer {
  const half = signature.length >> 1;
  return random.pick<() => Buffer>([
    () => changeBytes(signature, random),
    () => Buffer.alloc(signature.length, random.pick([0, 1, 255])),
    () => Buffer.concat([Buffer.alloc(1), signature]),
    () => Buffer.concat([signature, Buffer.alloc(random.integer(1, 3))]),
    () => signature.subarray(0, random.integer(0, signature.length - 1)),
    () => Buffer.concat([signature.subarray(half), signature.subarray(0, half)]),
    () => Buffer.concat([signature.subarray(0, half), Buffer.alloc(half)]),
    () => Buffer.from(random.bytes(signature.length)),
  ])();
}

function changeToken(token: string, other: string, random: Random): string {
  const at = random.integer(0, token.length - 1);
  const put = (text: string, over = 0) => token.slice(0, at) + text + token.slice(at + over);
  const { header, payload, signature } = partsOf(token);
  const theirs = partsOf(other);
  return random.pick<() => string>([
    () => put(random.pick(letters), 1),
    () => put(random.pick(strayCharacters), random.integer(0, 1)),
    () => put(random.pick(letters)),
    () => put("", random.integer(1, 5)),
    () => token.slice(0, -1) + random.pick(letters),
    () => `${header}${random.pick(["=", "==", "A", "AA", "A==", ""])}.${payload}.${signature}`,
    () => `${header}.${payload}${random.pick(["=", "==", "A", "AA", ""])}.${signature}`,
    () => `${token}${random.pick(["=", "==", ".", ".e30", "A", "AA", "AAA", "AAAA"])}`,
    () => `${theirs.header}.${payload}.${signature}`,
    () => `${header}.${theirs.payload}.${signature}`,
    () => `${header}.${payload}.${theirs.signature}`,
    () => `${payload}.${header}.${signature}`,
    () => `${header}.${payload}`,
    () => `${header}.${payload}.`,
    () => `..${signature}`,
    () => `${header}..${signature}`,
    () => `${header}.${payload}.${signature}.${random.pick(["", header, signature])}`,
    () => `${header}.${encodePart(token)}.${signature}`,
    () => token.toLowerCase(),
    () => token.repeat(random.integer(2, 16)),
    () => token.split("").toReversed().join(""),
    () => JSON.stringify({ protected: header, payload, signature }),
    () => token.replaceAll("-", "+").replaceAll("_", "/"),
    () => random.pick([".", "..", "...", "a.b.c", ".".repeat(9_000), "A".repeat(8_192)]),
  ])();
}

/** Another text for the very same bytes, to whoever is not strict about base64url. */
function respell(token: string, random: Random): string {
  const parts = token.split(".");
  const at = random.integer(0, parts.length - 1);
  const part = parts[at] ?? "";
  const last = base64url.indexOf(part.slice(-1));
  parts[at] = random.pick([
    part.slice(0, -1) + (base64url[last ^ random.integer(1, 3)] ?? ""),
    part.slice(0, -1) + (base64url[last ^ random.integer(1, 15)] ?? ""),
    `${part}${random.pick(["=", "==", "A", "\t", "~"])}`,
    part.replaceAll("-", "+").replaceAll("_", "/"),
  ]);
  return parts.join(".");
}

function changeRequest(request: TokenRequest, other: string, random: Random): void {
  const [sent = ""] = request.authorization;
  const token = sent.replace(/^Bearer /, "");
  random.pick<() => unknown>([
    () => request.authorization.push(random.pick([sent, `Bearer ${other}`, "Basic YTpi", "", "Bearer x"])),
    () => request.authorization.unshift(random.pick([`Bearer ${other}`, "Basic YTpi", "", "Bearer"])),
    () =>
      (request.query = random.pick([`?access_token=${other}`, "?access_token", "?%61ccess_token=x", "?a=1"])),
    () => (request.authorization = []),
    () => (
      (request.authorization = []),
      (request.query = `?access_token=${encodeURIComponent(token.slice(0, 4_000))}`)
    ),
    () => (request.authorization = [`${random.pick(["bearer", "BEARER", "bEARER"])} ${token}`]),
    () =>
      (request.authorization = [
        `${random.pick(["Basic", "Token", "JWT", "DPoP", "Bearer:", "Bearer\t", "Bear er", ""])} ${token}`,
      ]),
    () =>
      (request.authorization = [
        random.pick([`Bearer  ${token}`, `Bearer ${token} `, `\t Bearer ${token}\t`]),
      ]),
    () =>
      (request.authorization = [
        random.pick([
          `Bearer ${token} ${other}`,
          `Bearer ${token},${other}`,
          `Bearer ${token}, Bearer ${other}`,
        ]),
      ]),
    () =>
      (request.authorization = [
        random.pick([
          `Bearer "${token}"`,
          `Bearer <${token}>`,
          `Bearer token=${token}`,
          `Bearer\t${token}`,
          token,
        ]),
      ]),
    () =>
      (request.authorization = [
        random.pick(["Bearer", "Bearer ", "", " ", "Bearer null", "Bearer undefined", "Bearer []"]),
      ]),
  ])();
}

export const byteMutations: Readonly<Record<string, Mutation>> = {
  "header-bytes": ({ onHeaderText }, { random }) =>
    void onHeaderText.push((text) => changeBytes(text, random)),
  "claims-bytes": ({ onClaimsText }, { random }) =>
    void onClaimsText.push((text) => changeBytes(text, random)),
  signature: ({ onSignature }, { random }) =>
    void onSignature.push((bytes) => changeSignature(bytes, random)),
  signer(draft, { random, forge }) {
    const signers = [
      forge.foreign,
      forge.rsa,
      forge.ec,
      { ...forge.rsa, alg: "PS256" as const },
      "public-key-as-secret",
      "nobody",
    ] as const;
    draft.signer = random.pick(signers);
  },
  spelling: ({ onToken }, { random }) => void onToken.push((text) => respell(text, random)),
  token: ({ onToken }, { random, forge }) =>
    void onToken.push((text) => changeToken(text, forge.good(forge.ec), random)),
  request: ({ onRequest }, { random, forge }) =>
    void onRequest.push((one) => changeRequest(one, forge.good(forge.ec), random)),
};
