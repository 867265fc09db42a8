import { type Random, uuidFrom } from "../../../support/random.ts";
import type { Member } from "./draft.ts";
import type { Mutation, MutationContext } from "./mutation.ts";

const json = (value: unknown) => JSON.stringify(value);

/** JSON texts of the kinds that a careless check lets through. */
const oddValues = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "1.5",
  "1e400",
  "-1e400",
  "9007199254740993",
  "1e-400",
  '""',
  '" "',
  "[]",
  "{}",
  '{"$ne":null}',
  '{"$gt":""}',
  '["a"]',
  "[null]",
  '"__proto__"',
  '"\\u0000"',
  '"a\\r\\nb"',
  '"\\ud800"',
  '"\\u202e"',
  `"${"a".repeat(300)}"`,
  `"${"a".repeat(1_500)}"`,
  "[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]",
  "NaN",
  "undefined",
  "01",
  "'a'",
  "",
];
const algs = [
  "none",
  "None",
  "",
  "HS256",
  "RS256",
  "ES256",
  "PS256",
  "RS384",
  "RS512",
  "ES384",
  "EdDSA",
  "rs256",
  "RS256 ",
];
const typs = ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "rt+jwt", "logout+jwt", "id+jwt", ""];
const kids = [
  "rsa-key",
  "ec-key",
  "RSA-KEY",
  "their-key",
  "",
  "/dev/null",
  "../../../dev/null",
  "x' OR '1'='1",
  "constructor",
];
const headerNames = [
  "jwk",
  "jku",
  "x5u",
  "x5c",
  "x5t",
  "crit",
  "b64",
  "zip",
  "cty",
  "p2c",
  "enc",
  "epk",
  "nonce",
  "more",
];
const claimNames = [
  "iss",
  "aud",
  "sub",
  "client_id",
  "iat",
  "exp",
  "nbf",
  "jti",
  "sid",
  "epoch",
  "roles",
  "scope",
];
const strangeNames = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "",
  "a.b",
  "$where",
  "more",
  "\u0000",
  "a\nb",
];

const named = (members: readonly Member[], name: string) =>
  members.find((member) => member.name === json(name));

function put(members: Member[], name: string, value: string): void {
  const member = named(members, name);
  if (member === undefined) members.push({ name: json(name), value });
  else member.value = value;
}

function repeat(members: Member[], { random, forge }: MutationContext): void {
  const member = random.pick(members);
  const escaped = member.name.replace(
    /^"(.)/,
    (_text, first: string) => `"\\u00${first.charCodeAt(0).toString(16)}`,
  );
  const name = random.pick([member.name, member.name, escaped]);
  const value = random.pick([member.value, random.pick(oddValues), json(forge.foreign.kid)]);
  members.splice(random.integer(0, members.length), 0, { name, value });
}

function drop(members: Member[], { random }: MutationContext): void {
  if (members.length > 0) members.splice(random.integer(0, members.length - 1), 1);
}

function rename(members: Member[], { random }: MutationContext): void {
  const member = random.pick(members);
  member.name = random.pick([
    member.name.toUpperCase(),
    member.name.replace(/"$/, ' "'),
    member.name.slice(1, -1),
    `" ${member.name.slice(1)}`,
  ]);
}

/** Escapes, white space and order: another text for the very same members. */
function rewrite(members: Member[], { random }: MutationContext): void {
  const member = random.pick(members);
  member.name = `${random.pick(["", " ", "\n\t "])}${member.name}${random.pick(["", " ", "\r\n"])}`;
  member.value = `${random.pick(["", " ", "\n"])}${member.value}${random.pick(["", "  "])}`;
  const order = random.shuffled(members);
  members.splice(0, members.length, ...order);
}

const onEither =
  (change: (members: Member[], context: MutationContext) => void): Mutation =>
  (draft, context) =>
    change(context.random.chance(0.4) ? draft.header : draft.claims, context);

const spoilTimes: Mutation = ({ claims }, { random }) => {
  const now = Math.floor(Date.now() / 1_000);
  const far = random.pick([0, 1, 4, 5, 6, 30, 899, 901, 86_399, 86_401, 1e6, 1e9, 1e12]);
  const time = random.pick([now + far, now - far, now * 1_000, now + 0.5, -now, now + far, now - far]);
  put(claims, random.pick(["exp", "iat", "nbf"]), json(time));
};

const useRevoked: Mutation = ({ claims }, { random, cutOff, revokedJti }) => {
  if (random.chance(0.5))
    put(claims, "jti", json(random.pick([revokedJti, revokedJti, revokedJti.toUpperCase()])));
  else {
    put(claims, "sub", json(cutOff.sub));
    put(claims, "epoch", json(cutOff.epoch + random.integer(-1, 1)));
  }
};

const addMany: Mutation = ({ header, claims }, { random }) => {
  const members = random.chance(0.3) ? header : claims;
  const count = random.pick([5, 30, 60, 200]);
  for (let at = 0; at < count; at += 1) members.push({ name: json(`m${at}`), value: "1" });
};

const addNested: Mutation = ({ claims }, { random }) => {
  const depth = random.pick([2, 10, 15, 16, 17, 100, 1_000]);
  const [open, close] = random.pick([
    ["[", "]"],
    ['{"a":', "}"],
  ] as const);
  put(claims, random.pick([...claimNames, "more"]), `${open.repeat(depth)}1${close.repeat(depth)}`);
};

const addList: Mutation = ({ claims }, { random }) => {
  const entry = random.pick(["1", '"quash"', '"admin"', "[]", "{}", "1.79e300"]);
  put(
    claims,
    random.pick(["aud", "roles", "more"]),
    `[${Array.from({ length: random.pick([1, 20, 40, 300, 900]) }, () => entry).join(",")}]`,
  );
};

export const memberMutations: Readonly<Record<string, Mutation>> = {
  "header-value": ({ header }, { random }) => {
    const [name, values] = random.pick([
      ["alg", algs],
      ["typ", typs],
      ["kid", kids],
    ] as const);
    put(header, name, random.chance(0.6) ? json(random.pick(values)) : random.pick(oddValues));
  },
  "header-member": ({ header }, { random }) => put(header, random.pick(headerNames), random.pick(oddValues)),
  "claim-value": ({ claims }, { random }) => put(claims, random.pick(claimNames), random.pick(oddValues)),
  "claim-near": ({ claims }, { random, forge }) => {
    const { iss, aud, sub, jti } = forge.claims();
    const [name, value] = random.pick([
      ["iss", iss],
      ["aud", aud],
      ["sub", sub],
      ["jti", jti],
      ["sid", jti],
    ] as const);
    put(claims, name, json(nearly(value, random)));
  },
  "claim-strange": ({ claims }, { random }) => put(claims, random.pick(strangeNames), random.pick(oddValues)),
  "claim-fresh": ({ claims }, { random }) => put(claims, "jti", json(uuidFrom(random))),
  "claim-roles": ({ claims }, { random }) =>
    put(claims, "roles", json(random.pick([["admin"], [], ["user", "admin"], ["x\n"]]))),
  times: spoilTimes,
  revoked: useRevoked,
  repeat: onEither(repeat),
  drop: onEither(drop),
  rename: onEither(rename),
  rewrite: onEither(rewrite),
  many: addMany,
  nested: addNested,
  list: addList,
};

function nearly(text: string, random: Random): unknown {
  return random.pick([
    [text],
    `${text}/`,
    ` ${text}`,
    `${text} `,
    text.toUpperCase(),
    text.slice(1),
    `${text}\u0000`,
    `${text}\u200b`,
    { value: text },
  ]);
}
