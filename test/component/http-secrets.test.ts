import { expect } from "chai";
import { describe, it } from "mocha";
import { administrator } from "../support/fleet.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { createApiWorld, sendRaw } from "../support/test-api.ts";

const canary = "canary-password-4711";

describe("what is written about a run", () => {
  it("holds no password and no token, at the most talkative level, whatever fails", async () => {
    const log = createRecordingLog();
    const world = await createApiWorld({ log });
    await world.startWorker();
    const api = await world.startApi();
    const secrets = new Set([canary, administrator.password]);
    const grant = async (body: unknown, path = "/auth/login") => {
      const { body: given } = await api.call(path, { body });
      const [access, refresh] = [String(given["access_token"]), String(given["refresh_token"])];
      for (const secret of [access, refresh]) secrets.add(secret);
      return { access, refresh };
    };
    const admin = await grant(administrator);
    const alice = { email: "alice@example.com", password: canary };
    const id = await api.createUser(admin.access, alice);
    const first = await grant(alice);
    const second = await grant({ refresh_token: first.refresh }, "/auth/refresh");
    await api.call("/auth/refresh", { body: { refresh_token: first.refresh } });
    await api.call("/me", { token: second.access });
    await api.call("/me", { token: `${second.access}x` });
    await api.call(`/me?access_token=${admin.access}`, { token: admin.access });
    await api.call(`/users/${admin.access}`, { token: admin.access });
    await api.call(`/users?${admin.access}=1`, { token: admin.access });
    await api.call("/auth/login", { body: { email: "x", password: canary, [canary]: canary } });
    await api.call("/auth/login", { body: [canary] });
    await sendRaw(api.port, `GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${admin.access}\0\r\n\r\n`);
    world.databaseServer.setAvailable(false);
    await api.call("/auth/login", { body: alice });
    world.databaseServer.setAvailable(true);
    world.logServer.setAvailable(false);
    await api.call(`/users/${id}/deactivate?wait=enforced&timeout_ms=3000`, {
      token: admin.access,
      method: "POST",
    });
    world.logServer.setAvailable(true);
    await api.call("/auth/logout", { token: admin.access, method: "POST" });
    await world.close();

    const text = log.text();
    expect(text).to.contain("http.refused").and.contain("http.request").and.contain("event.left-to-relay");
    for (const secret of secrets) {
      expect(secret).to.have.length.greaterThan(15);
      const parts = [secret, ...secret.split(".").filter((part) => part.length > 15)];
      expect(parts.filter((part) => text.includes(part))).to.deep.equal([]);
    }
  });
});
