import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { after, afterEach, before, it } from "mocha";
import { createPlatform } from "../../shared/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import { contentsOf, cutOff, listen, repairWith } from "../contract/revocation-store.contract.ts";
import { freePorts } from "../services/free-ports.ts";
import { type Certificates, createCertificates } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";

const namespace = "quash-tls";
const [password, other] = ["canary-redis-password", "canary-redis-other"];
/** The user of the namespace has its keys and channels, and none else's. */
const accessRights = `user default off
user quash on >${password} ~{${namespace}}:* &{${namespace}}:* +@all
user stranger on >${password} ~elsewhere:* &elsewhere:* +@all
`;

describeUnlessMissing("Redis with TLS and an ACL", missingPrograms(["redis-server", "openssl"]), () => {
  const log = createRecordingLog();
  const opened: RevocationStore[] = [];
  let certificates: Certificates;
  let folder: string;
  let server: ChildProcess;
  let [tlsPort, plainPort] = [0, 0];

  before(async () => {
    certificates = await createCertificates();
    folder = await mkdtemp(join(tmpdir(), "quash-redis-"));
    await writeFile(join(folder, "users.acl"), accessRights);
    [tlsPort = 0, plainPort = 0] = await freePorts(2);
    const ports = ["--tls-port", String(tlsPort), "--port", String(plainPort)];
    const tls = ["--tls-cert-file", certificates.certFile, "--tls-key-file", certificates.keyFile];
    const authority = ["--tls-ca-cert-file", certificates.caFile, "--tls-auth-clients", "no"];
    const rest = [
      "--aclfile",
      join(folder, "users.acl"),
      "--save",
      "",
      "--dir",
      folder,
      "--bind",
      "127.0.0.1",
    ];
    server = spawn("redis-server", [...ports, ...tls, ...authority, ...rest], { stdio: "ignore" });
  });
  afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
  after(async () => {
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
    await Promise.all([certificates.remove(), rm(folder, { recursive: true })]);
    expect([password, other].filter((secret) => log.text().includes(secret))).to.deep.equal([]);
  });

  async function connect(url: string, caPem?: string): Promise<RevocationStore> {
    const address = { url, ...(caPem === undefined ? {} : { caPem }) };
    const store = await connectRedisStore({ ...createPlatform(), ...address, namespace, log });
    opened.push(store);
    return store;
  }
  const secure = (user = "quash", secret = password) => `rediss://${user}:${secret}@127.0.0.1:${tlsPort}`;

  it("holds a store for a user who has the namespace's keys and channels only", async () => {
    const store = await connect(secure(), certificates.caPem);
    await eventually(() => store.readState());
    await repairWith(store, { incarnation: "first", isFirst: true });
    const heard = await listen(store);
    const { position } = await store.add([cutOff("a", 1)]);
    expect(await contentsOf(store)).to.have.length(1);
    await eventually(() => expect(heard.announcements.map((each) => each.position)).to.include(position));
  });

  const faults: readonly [what: string, advice: string, url: () => string, hasCa: boolean][] = [
    ["an authority that is not known", "REDIS_CA_FILE", () => secure(), false],
    ["a wrong password", "the name or the password", () => secure("quash", other), true],
    ["no password", "the name or the password", () => `rediss://127.0.0.1:${tlsPort}`, true],
    ["a user without rights", "lacks rights", () => secure("stranger"), true],
    ["no TLS where it is expected", "use rediss://", () => secure().replace("rediss:", "redis:"), false],
    [
      "TLS where there is none",
      "use redis://",
      () => secure().replace(String(tlsPort), String(plainPort)),
      true,
    ],
  ];
  for (const [what, advice, url, hasCa] of faults) {
    it(`is away, and the log says what to change for ${what}`, async () => {
      const before = log.logged("redis.refused").length;
      const store = await connect(url(), hasCa ? certificates.caPem : undefined);
      await eventually(
        async () => {
          const failure: unknown = await store.readState().catch((error: unknown) => error);
          expect(failure).to.have.property("code", "dependency-unavailable");
          expect(log.logged("redis.refused").slice(before).join("")).to.include(advice);
        },
        { timeoutMs: 10_000 },
      );
    });
  }
});
