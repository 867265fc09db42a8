import { createPublicKey } from "node:crypto";
import { type ForgeKey, hmacText, partsOf, signText, type TokenForge } from "../../../support/token-forge.ts";

/** A member of a JSON object as it is written: both are JSON texts, good or bad. */
export interface Member {
  name: string;
  value: string;
}

export type Signer = ForgeKey | "public-key-as-secret" | "nobody";

/** A request with a token that is being spoiled, from the inside out: members, texts, signature, token, request. */
export interface Draft {
  readonly header: Member[];
  readonly claims: Member[];
  signer: Signer;
  /** Applied in this order. */
  readonly onHeaderText: ((text: Buffer) => Buffer)[];
  readonly onClaimsText: ((text: Buffer) => Buffer)[];
  readonly onSignature: ((signature: Buffer) => Buffer)[];
  readonly onToken: ((token: string) => string)[];
  readonly onRequest: ((request: TokenRequest) => void)[];
}

export interface TokenRequest {
  query: string;
  /** The values of the Authorization headers, latin-1. */
  authorization: string[];
}

/** A draft of a token that is good: with nothing done to it, it is accepted. */
export function createDraft(forge: TokenForge, key: ForgeKey): Draft {
  return {
    header: membersOf(forge.header(key)),
    claims: membersOf(forge.claims()),
    signer: key,
    onHeaderText: [],
    onClaimsText: [],
    onSignature: [],
    onToken: [],
    onRequest: [],
  };
}

export function render(draft: Draft, forge: TokenForge): TokenRequest {
  const header = apply(draft.onHeaderText, Buffer.from(objectText(draft.header)));
  const claims = apply(draft.onClaimsText, Buffer.from(objectText(draft.claims)));
  const input = `${header.toString("base64url")}.${claims.toString("base64url")}`;
  const signature = Buffer.from(partsOf(sign(input, draft.signer, forge)).signature, "base64url");
  const signed = `${input}.${apply(draft.onSignature, signature).toString("base64url")}`;
  const request: TokenRequest = { query: "", authorization: [`Bearer ${apply(draft.onToken, signed)}`] };
  for (const change of draft.onRequest) change(request);
  return request;
}

/** Line ends would make another request of it, which is not what is tried here; what a header cannot hold is cut off. */
export function bytesOf({ query, authorization }: TokenRequest): Buffer {
  const lines = authorization.map(
    (value) => `Authorization: ${value.replaceAll(/[\r\n]/g, "").slice(0, 14_000)}`,
  );
  const head = [`GET /me${query} HTTP/1.1`, "Host: fuzz", ...lines, "", ""];
  return Buffer.from(head.join("\r\n"), "latin1");
}

function sign(input: string, signer: Signer, forge: TokenForge): string {
  if (signer === "nobody") return `${input}.`;
  if (signer !== "public-key-as-secret") return signText(signer, input);
  return hmacText(createPublicKey(forge.rsa.key).export({ format: "pem", type: "spki" }).toString(), input);
}

function apply<T>(changes: readonly ((value: T) => T)[], value: T): T {
  return changes.reduce((changed, change) => change(changed), value);
}

const membersOf = (object: object): Member[] =>
  Object.entries(object).map(([name, value]) => ({
    name: JSON.stringify(name),
    value: JSON.stringify(value),
  }));

const objectText = (members: readonly Member[]) =>
  `{${members.map(({ name, value }) => `${name}:${value}`).join(",")}}`;
