import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { ClientFailure } from "../../../api/audit/client-failures.ts";
import { createCreateClient } from "../../../api/clients/create-client.ts";
import { createDeleteClient } from "../../../api/clients/delete-client.ts";
import { listClients } from "../../../api/clients/list-clients.ts";
import { createAuthenticateClient } from "../../../api/oauth/authenticate-client.ts";
import type { ClientCredentials } from "../../../api/oauth/client-credentials.ts";
import { createGrantServiceToken } from "../../../api/oauth/grant-service-token.ts";
import { OauthError } from "../../../api/oauth/oauth-error.ts";
import { createRevokeAnyToken } from "../../../api/oauth/revoke-any-token.ts";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { expectError } from "../../support/expect-error.ts";
import { createWorld, type World } from "../users/world.ts";

const origin = { address: "192.0.2.1", requestId: "r1" };

describe("clients", () => {
  let world: World;
  let credentials: ClientCredentials;
  let id: string;
  let failures: ClientFailure[];

  beforeEach(async () => {
    world = await createWorld();
    failures = [];
    const { client, secret } = await create();
    id = client.id;
    credentials = { method: "client_secret_basic", id, secret: secret ?? "" };
  });

  const create = () => {
    const createClient = createCreateClient({ ...world.deps, clients: world.clients, actor: "the operator" });
    return createClient({ name: "a service", roles: ["emitter"] });
  };
  const remove = () =>
    createDeleteClient({ ...world.deps, clients: world.clients, deleteUser: world.remove })(
      id,
      "the operator",
    );
  const grant = () => {
    const authenticateClient = createAuthenticateClient({
      ...world.deps,
      clients: world.clients,
      audiences: [],
      clockToleranceSeconds: 5,
      noteFailure: (failure) => void failures.push(failure),
    });
    return createGrantServiceToken({ ...world.deps, authenticateClient })({ credentials, origin });
  };
  const listed = async () => {
    const all = [];
    for await (const client of listClients({ ...world.deps, clients: world.clients })) all.push(client);
    return all;
  };

  async function expectInvalidClient(run: () => Promise<unknown>): Promise<void> {
    const thrown = await run().catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(OauthError).with.property("code", "invalid_client");
  }

  it("get tokens that carry their user's epoch, from a clock read before he was", async () => {
    await world.signOut({ userId: id, actor: "root" });
    const readAtSeconds = world.platform.clock.wallMs() / 1_000;
    world.hooks.once("before", "prepareTokens", () => world.platform.advance(10_000));
    world.hooks.once("before", "findById", () => world.platform.advance(20_000));

    const claims = world.verify((await grant()).accessToken);
    expect(claims).to.include({ sub: id, client_id: id, epoch: 1, iat: readAtSeconds });
    expect(claims.roles).to.deep.equal(["emitter"]);
    expect(await world.database.sessions.findToken(claims.jti)).to.include({ subject: id, epoch: 1 });
  });

  for (const change of ["deactivate", "remove"] as const) {
    it(`get a token below the cut-off when ${change} comes right after their user was read`, async () => {
      world.hooks.once("after", "findById", () => world[change]({ userId: id, actor: "root" }));
      const { epoch } = world.verify((await grant()).accessToken);
      expect((await world.database.users.findById(id))?.epoch).to.equal(epoch + 1);
    });

    it(`get none when ${change} comes before their user is read`, async () => {
      world.hooks.once("after", "findClient", () => world[change]({ userId: id, actor: "root" }));
      await expectInvalidClient(grant);
    });
  }

  it("are in the audit when they are made, when they are deleted, and when they fail to authenticate", async () => {
    credentials = { method: "client_secret_basic", id, secret: "another" };
    await expectInvalidClient(grant);
    const eventId = await remove();

    const told = world.recorded.filter(({ action }) => action.startsWith("client."));
    expect(told).to.deep.equal([
      { action: "client.created", actor: "the operator", object: id },
      { action: "client.deleted", actor: "the operator", object: id, eventId },
    ]);
    expect(failures).to.deep.equal([{ clientId: id, requestId: "r1" }]);
  });

  it("get none before it is recorded", async () => {
    world.hooks.once("before", "recordToken", () => Promise.reject(dependencyUnavailable("mongodb", null)));
    await expectError("dependency-unavailable", grant);
  });

  it("may do nothing when their making broke off between its writes, and can be deleted", async () => {
    world.hooks.once("before", "create", () => Promise.reject(dependencyUnavailable("mongodb", null)));
    await expectError("dependency-unavailable", create);
    const half = (await listed()).find(({ client_id }) => client_id !== id);
    expect(half).to.include({ status: "deleted" });

    credentials = { method: "client_secret_basic", id: half?.client_id ?? "", secret: "any" };
    await expectInvalidClient(grant);
    id = half?.client_id ?? "";
    expect(await remove()).to.equal(null);
    expect(await listed()).to.have.lengthOf(1);
  });

  it("are cut off before they are gone, and gone when it is done again", async () => {
    world.hooks.once("before", "deleteClient", () => Promise.reject(dependencyUnavailable("mongodb", null)));
    await expectError("dependency-unavailable", remove);
    await expectInvalidClient(grant);
    expect(world.published.map(({ event }) => [event.type, event.subject])).to.deep.equal([
      ["user.deleted", id],
    ]);

    expect(await remove()).to.equal(null);
    expect(await listed()).to.deep.equal([]);
    await expectError("not-found", remove);
  });

  it("cannot fill their own outbox by revoking what is theirs again and again", async () => {
    const revokeAnyToken = createRevokeAnyToken({
      ...world.deps,
      verifyWhenever: world.verify,
      revokeToken: world.revokeToken,
      endUserSession: world.endUserSession,
    });
    const { accessToken } = await grant();
    const revoke = (roles: string[]) => revokeAnyToken(accessToken, { id, roles });
    for (let waiting = 0; waiting < 1_000; waiting += 1) await revoke(["emitter"]);

    await expectError("outbox-full", () => revoke(["emitter"]));
    await revoke(["operator"]);
    expect((await world.deactivate({ userId: id, actor: "root" })).changed).to.equal(true);
  });
});
