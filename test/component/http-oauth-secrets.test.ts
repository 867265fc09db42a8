import { expect } from "chai";
import { describe, it } from "mocha";
import { assertionForm, createKeyedClient, createTestClient, postForm } from "../support/oauth-client.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { createApiWorld } from "../support/test-api.ts";

describe("what is written about OAuth clients", () => {
  it("holds no secret, no assertion and no token, at the most talkative level, whatever fails", async () => {
    const log = createRecordingLog();
    const world = await createApiWorld({ log });
    await world.startWorker();
    const api = await world.startApi();
    const { database } = world.connectParts();
    const client = await createTestClient(database, world.platform, ["operator"]);
    const keyed = await createKeyedClient(database, world.platform);
    const assertion = assertionForm(keyed, world.defaults.TOKEN_ISSUER);
    const secrets = [client.secret, client.basic.authorization, assertion["client_assertion"] ?? ""];
    const post = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
      (await postForm(api.url, path, { form, headers })).body;

    const grant = { grant_type: "client_credentials" };
    const { access_token: given } = await post("/oauth/token", grant, client.basic);
    const token = String(given);
    secrets.push(token, ...token.split("."));
    await post("/oauth/token", { ...grant, ...assertion });
    await post("/oauth/token", { ...grant, ...assertion });
    await post("/oauth/token", { ...grant, client_id: client.id, client_secret: client.secret });
    await post("/oauth/introspect", { token }, { authorization: `Bearer ${token}x` });
    await post(`/oauth/introspect?token=${token}`, { token }, client.basic);
    await post("/oauth/revoke", { token: `${token}x` }, client.basic);
    world.databaseServer.setAvailable(false);
    await post("/oauth/revoke", { token }, client.basic);
    world.databaseServer.setAvailable(true);
    await post("/oauth/revoke", { token }, client.basic);
    await world.close();

    const text = log.text();
    expect(text).to.contain("http.unavailable").and.contain("revocation.requested");
    for (const secret of secrets) expect(secret).to.have.length.greaterThan(15);
    expect(secrets.filter((secret) => text.includes(secret))).to.deep.equal([]);
  });
});
