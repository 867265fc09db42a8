import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { eventually } from "../../support/eventually.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { createApiWorld, cuttable } from "../../support/test-api.ts";
import { type Door, openDoor } from "./door.ts";

const password = "long enough";
const wait = "?wait=enforced&timeout_ms=15000";

describe("bad inputs: tokens that were good", () => {
  let door: Door;
  let admin: string;

  beforeEach(async () => {
    door = await openDoor();
    admin = await door.api.signIn();
  });
  afterEach(() => door.world.close());

  async function signUp(name: string) {
    const email = `${name}@example.com`;
    const id = await door.api.createUser(admin, { email, password });
    const { body } = await door.api.call("/auth/login", { body: { email, password } });
    return { id, email, token: String(body["access_token"]), refreshToken: String(body["refresh_token"]) };
  }
  const claimsOf = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const post = async (path: string) => {
    const answer = await door.api.call(path, { method: "POST", token: admin });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
  };
  const revoke = async (token: string) => {
    const { body } = await door.api.call(`/tokens/${String(claimsOf(token)["jti"])}/revoke`, {
      method: "POST",
      token: admin,
    });
    await untilEnforced(String(body["event_id"]));
  };
  const untilEnforced = (eventId: string) =>
    eventually(async () => {
      const { body } = await door.api.call(`/revocations/${eventId}`, { token: admin });
      expect(body["status"]).to.equal("enforced");
    });
  const me = (token: string) => door.api.call("/me", { token });

  async function publish(event: Record<string, unknown>) {
    const value = Buffer.from(JSON.stringify({ specversion: "1.0", id: randomUUID(), ...event }));
    const headers = { "content-type": "application/cloudevents+json" };
    await door.world.logServer.connect().publish("events", [{ key: null, value, headers }]);
  }

  it("V1 a token whose jti is on the list: token-revoked", async () => {
    const { token } = await signUp("alice");
    await revoke(token);
    expectProblem(await me(token), "token-revoked");
  });

  it("V2 an epoch below the user's, whatever the jti: user-deactivated; and no other user's", async () => {
    const alice = await signUp("alice");
    const bob = await signUp("bob");
    await post(`/users/${alice.id}/deactivate${wait}`);
    const never = door.forge.withClaims({ sub: alice.id, epoch: 0, jti: randomUUID() });
    expectProblem(await me(alice.token), "user-deactivated");
    expectProblem(await me(never), "user-deactivated");
    expect((await me(bob.token)).status).to.equal(200);
    expect((await me(door.forge.withClaims({ sub: alice.id, epoch: 1 }))).status).to.equal(200);
  });

  it("V3 the jti of a token under another issuer's name: revokes nothing of ours", async () => {
    const { token } = await signUp("alice");
    const jti = claimsOf(token)["jti"];
    const external = { iss: "https://evil.test", sub: "mallory" };
    await publish({ source: "https://evil.test", type: "token.revoked", data: { jti, external } });
    await eventually(async () => {
      const { body } = await door.api.call(`/revocations?jti=${String(jti)}`, { token: admin });
      expect(body["items"]).to.have.nested.property("[0].status", "enforced");
    });
    expect((await me(token)).status).to.equal(200);
    expectProblem(
      await me(door.forge.withClaims({ ...claimsOf(token), iss: external.iss })),
      "issuer-rejected",
    );
  });

  it("V4 a revoked token signed anew, by another key or with another nonce: token-revoked", async () => {
    const { token } = await signUp("alice");
    await revoke(token);
    const { forge } = door;
    for (const key of [forge.rsa, forge.ec, forge.ec])
      expectProblem(await me(forge.signed(forge.header(key), claimsOf(token), key)), "token-revoked");
  });

  it("V5 a revoked token that is to sign out, to refresh, or to sign in: is of no use for it", async () => {
    const { token, refreshToken, email } = await signUp("alice");
    const signedOut = await door.api.call("/auth/logout", { method: "POST", token });
    expect(signedOut.status).to.equal(204);
    await eventually(async () => expectProblem(await me(token), "token-revoked"));
    const { call } = door.api;
    expectProblem(await call("/auth/logout", { method: "POST", token }), "token-revoked");
    expectProblem(
      await call("/auth/refresh", { body: { refresh_token: refreshToken } }),
      "refresh-token-invalid",
    );
    expectProblem(await call("/auth/refresh", { body: { refresh_token: token } }), "refresh-token-invalid");
    expectProblem(await call("/auth/refresh", { method: "POST", token }), "body-malformed");
    expectProblem(
      await call("/auth/login", { token, body: { email, password: token.slice(0, 900) } }),
      "credentials-invalid",
    );
  });

  for (const epochs of [
    [3, 5],
    [5, 3],
  ]) {
    it(`V6 cut-offs below the epochs ${epochs.join(" and ")}, in this order: the strictest wins`, async () => {
      const { id } = await signUp("alice");
      for (const epoch of epochs) {
        const event = { source: "/quash/test", type: "user.signed-out", subject: id, data: { epoch } };
        await publish({ ...event, time: new Date().toISOString(), datacontenttype: "application/json" });
      }
      const withEpoch = (epoch: number) => me(door.forge.withClaims({ sub: id, epoch }));
      await eventually(async () => {
        const { body } = await door.api.call(`/revocations?subject=${id}`, { token: admin });
        expect(body["items"]).to.have.length(2);
        expect(body["items"]).to.have.nested.property("[0].status", "enforced");
        expect(body["items"]).to.have.nested.property("[1].status", "enforced");
      });
      expectProblem(await withEpoch(4), "user-deactivated");
      expectProblem(await withEpoch(2), "user-deactivated");
      expect((await withEpoch(5)).status).to.equal(200);
    });
  }

  it("V8 every token at once: goes with the key that signed it: key-unknown", async () => {
    const others = await openDoor();
    expectProblem(
      await others.api.call("/me", { token: door.forge.withHeader({ kid: "gone" }) }),
      "key-unknown",
    );
    expectProblem(await others.api.call("/me", { token: door.forge.good() }), "signature-invalid");
    await others.world.close();
  });
});

describe("bad inputs: an instance that may not know all revocations", () => {
  it("V7 has not loaded them yet: replica-cold; cannot prove that they are fresh: replica-stale", async () => {
    const world = await createApiWorld({ settings: { MAX_STALENESS_MS: 1_200 } });
    const cold = await world.listen();
    expectProblem(await cold.call("/me", { token: "garbage" }), "replica-cold");
    await world.startWorker();
    const link = cuttable(world.storeServer.connect());
    const api = await world.startApi({ store: link.store });
    const token = await api.signIn();
    link.cut();
    await eventually(async () => expectProblem(await api.call("/me", { token }), "replica-stale"));
    link.restore();
    await world.close();
  });
});
