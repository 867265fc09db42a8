import { errorTable } from "../../../../shared/errors.ts";
import { eventually } from "../../../support/eventually.ts";
import type { Random } from "../../../support/random.ts";
import { createApiWorld } from "../../../support/test-api.ts";
import { createTokenForge } from "../../../support/token-forge.ts";
import type { Attempt, FuzzDoor, OpenDoor } from "../../door.ts";
import { createRawClient, type RawResponse } from "../../raw-client.ts";
import { bytesOf, createDraft, render, type TokenRequest } from "./draft.ts";
import { byteMutations } from "./mutate-bytes.ts";
import { memberMutations } from "./mutate-members.ts";
import type { MutationContext } from "./mutation.ts";
import { createOracle, type Verdict } from "./oracle.ts";

const mutations = Object.entries({ ...memberMutations, ...byteMutations });
const issuer = "https://issuer.test";
const revokedJti = "11111111-2222-4333-8444-555555555555";

export const tokenDoor: FuzzDoor = {
  name: "token",
  about: "good access tokens with a few things changed",
  open: openTokenDoor,
};

async function openTokenDoor(): Promise<OpenDoor> {
  const forge = await createTokenForge({ issuer, audience: "quash" });
  const world = await createApiWorld({ keys: forge.keySet, settings: { TOKEN_ISSUER: issuer } });
  await world.startWorker();
  const api = await world.startApi();
  const statusOf = async (claims: Record<string, unknown>) => api.statusOf(forge.withClaims(claims));
  const cutOff = await revokeSome();
  const judge = createOracle(forge, { cutOff, revokedJti });
  const client = createRawClient(api.port);

  /** A user who was deactivated, and one token. */
  async function revokeSome() {
    const admin = await api.signIn();
    const sub = await api.createUser(admin, { email: "gone@example.com", password: "long enough" });
    await api.call(`/users/${sub}/deactivate`, { method: "POST", token: admin });
    const data = { jti: revokedJti };
    const event = {
      specversion: "1.0",
      id: "1",
      source: "https://upstream.test",
      type: "token.revoked",
      data,
    };
    const headers = { "content-type": "application/cloudevents+json" };
    await world.logServer
      .connect()
      .publish("events", [{ key: null, value: Buffer.from(JSON.stringify(event)), headers }]);
    await eventually(async () => {
      const statuses = [await statusOf({ sub, epoch: 0 }), await statusOf({ jti: revokedJti })];
      if (statuses.some((status) => status !== 401)) throw new Error("not revoked yet");
    });
    return { sub, epoch: 1 };
  }

  function spoil(random: Random): { request: TokenRequest; names: string[] } {
    const context: MutationContext = { random, forge, cutOff, revokedJti };
    const draft = createDraft(forge, random.chance(0.2) ? forge.rsa : forge.ec);
    const count = random.pick([0, 1, 1, 1, 1, 2, 2, 2, 3, 4]);
    const chosen = Array.from({ length: count }, () => random.pick(mutations));
    for (const [, mutate] of chosen) mutate(draft, context);
    return { request: render(draft, forge), names: chosen.map(([name]) => name) };
  }

  return {
    async attempt(random) {
      const { request, names } = spoil(random);
      const bytes = bytesOf(request);
      // As it is sent: what could not stand in a header is gone.
      const verdict = judge(requestIn(bytes));
      return judgeAnswer(
        await client.send(bytes),
        verdict,
        `${names.join(" + ") || "unchanged"}: ${JSON.stringify(bytes.toString("latin1"))}`,
      );
    },
    async isWell() {
      const good = await Promise.all([forge.rsa, forge.ec].map((key) => api.statusOf(forge.good(key))));
      const bad = await Promise.all([statusOf({ sub: cutOff.sub, epoch: 0 }), statusOf({ jti: revokedJti })]);
      return good.every((status) => status === 200) && bad.every((status) => status === 401);
    },
    async close() {
      client.close();
      await world.close();
    },
  };
}

function requestIn(bytes: Buffer): TokenRequest {
  const [first = "", ...lines] = bytes.toString("latin1").split("\r\n");
  const target = first.split(" ")[1] ?? "";
  const query = target.includes("?") ? target.slice(target.indexOf("?")) : "";
  const prefix = "Authorization: ";
  return {
    query,
    authorization: lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length)),
  };
}

function judgeAnswer(response: RawResponse, verdict: Verdict, input: string): Attempt {
  const outcome = outcomeOf(response);
  const what = faultOf(response, verdict, outcome);
  return { outcomes: [outcome], ...(what !== null && { finding: { what, input } }) };
}

function outcomeOf({ status, text }: RawResponse): string {
  const slug = /"type":"\/problems\/([a-z-]+)"/.exec(text)?.[1];
  return `${status} ${slug ?? (status === 200 ? "accepted" : "no problem")}`;
}

/** Which promise the answer breaks; null when it breaks none. */
function faultOf({ status, headers, text }: RawResponse, verdict: Verdict, outcome: string): string | null {
  if (status === 200) return verdict === "bad" ? "accepted what is no good token" : null;
  if (status === 0) return "the connection ended without an answer";
  if (status >= 500) return "an error on our side";
  if (verdict === "good") return `refused a good token: ${text}`;
  if (![400, 401, 431].includes(status)) return "a status that nobody expects here";
  const rule = Object.entries(errorTable).find(([slug]) => outcome.endsWith(` ${slug}`))?.[1];
  if (rule?.status !== status) return "no problem of this status";
  if (!headers.get("content-type")?.startsWith("application/problem+json"))
    return "a problem of another type";
  const challenge = headers.get("www-authenticate");
  return (challenge === null) === (status === 401 || status === 403)
    ? "a challenge too many or too few"
    : null;
}
