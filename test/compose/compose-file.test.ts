import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { describe, it } from "mocha";
import { parse } from "yaml";

interface ComposeService {
  readonly image?: string;
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly profiles?: readonly string[];
  readonly container_name?: string;
  readonly hostname?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const text = readFileSync(new URL("../../docker-compose.yml", import.meta.url), "utf8");
const loadOptions = readFileSync(new URL("../load/options.ts", import.meta.url), "utf8");
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const compose = parse(text, { merge: true }) as ComposeFile;
const jobs = ["first-start", "load"];
const longRunning = Object.entries(compose.services).filter(([name]) => !jobs.includes(name));

describe("docker-compose.yml", () => {
  it("has the engines, the jobs, both programs and the balancer", () => {
    const names = ["api", "first-start", "kafka", "load", "mongo", "nginx", "redis", "worker"];
    expect(Object.keys(compose.services).toSorted()).to.deep.equal(names);
  });

  it("needs nothing from the environment", () => {
    expect(text).not.to.match(/\$\{?[A-Z]/);
  });

  for (const [name, service] of longRunning) {
    it(`checks the health of ${name}, restarts it, and gives it time to stop`, () => {
      expect(service.healthcheck?.test).to.have.length.above(1);
      expect(service.restart).to.equal("unless-stopped");
      expect(seconds(service)).to.be.at.least(15);
    });
  }

  for (const name of ["api", "worker"]) {
    it(`leaves ${name} free to be scaled`, () => {
      const { ports, container_name, hostname } = serviceOf(name);
      expect([ports, container_name, hostname]).to.deep.equal([undefined, undefined, undefined]);
    });

    it(`starts ${name} once the secrets are made and the engines answer`, () => {
      const conditions = Object.entries(serviceOf(name).depends_on ?? {}).map(
        ([other, { condition }]) => `${other}: ${condition}`,
      );
      expect(conditions.toSorted()).to.deep.equal([
        "first-start: service_completed_successfully",
        "kafka: service_healthy",
        "mongo: service_healthy",
        "redis: service_healthy",
      ]);
    });

    it(`lets ${name} drain before it is killed`, () => {
      const service = serviceOf(name);
      expect(seconds(service) * 1000).to.be.above(Number(service.environment?.["SHUTDOWN_GRACE_MS"]));
    });

    it(`gives ${name} the addresses of the engines`, () => {
      expect(serviceOf(name).environment).to.include({
        MONGO_URL: "mongodb://mongo:27017",
        REDIS_URL: "redis://redis:6379",
        KAFKA_BROKERS: "kafka:9092",
      });
    });
  }

  it("lets the one who starts it switch off the holds, as the load test needs", () => {
    for (const name of ["api", "worker"])
      expect(serviceOf(name).environment).to.have.property("HOLD_ABOVE_USERS_PER_MINUTE", null);
    expect(readme).to.contain("HOLD_ABOVE_USERS_PER_MINUTE=0 docker compose up --build --scale api=3");
  });

  for (const name of ["first-start", "api", "worker"]) {
    it(`runs ${name} directly in node, from a program that the build makes`, () => {
      const [program, script = ""] = serviceOf(name).command ?? [];
      expect(program).to.equal("node");
      const source = script.replace(/^dist\//, "../../").replace(/\.js$/, ".ts");
      expect(existsSync(new URL(source, import.meta.url)), script).to.equal(true);
    });
  }

  it("builds the image once, for all that run it", () => {
    const builders = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);
    const ofProduct = builders.filter(([name]) => name !== "load");
    expect(ofProduct.map(([name]) => name)).to.deep.equal(["first-start"]);
    for (const name of ["first-start", "api", "worker"])
      expect(serviceOf(name).image).to.equal("quash:local");
  });

  it("runs the load test only when it is asked for, against the balancer, from an image of its own", () => {
    const { profiles, image, build, command = [] } = serviceOf("load");
    expect([profiles, image]).to.deep.equal([["load"], "quash-load:local"]);
    expect(build).to.deep.equal({ context: ".", dockerfile: "test/load/Dockerfile" });
    expect(command.join(" ")).to.contain("test/load/main.ts --url http://nginx:8080");
    for (const option of command.filter((part) => part.startsWith("--") && part !== "--import"))
      expect(loadOptions).to.contain(option);
  });

  it("shares the secrets read-only with the API and the load test alone", () => {
    const mounts = Object.entries(compose.services).flatMap(([name, { volumes = [] }]) =>
      volumes.filter((volume) => volume.startsWith("secrets:")).map((volume) => `${name} ${volume}`),
    );
    expect(mounts).to.deep.equal([
      "first-start secrets:/run/quash",
      "api secrets:/run/quash:ro",
      "load secrets:/run/quash:ro",
    ]);
    const { SIGNING_KEYS_FILE, ADMIN_PASSWORD_FILE } = serviceOf("api").environment ?? {};
    expect([SIGNING_KEYS_FILE, ADMIN_PASSWORD_FILE]).to.deep.equal([
      "/run/quash/signing-keys.json",
      "/run/quash/admin-password",
    ]);
  });

  it("keeps what must outlive a container in named volumes", () => {
    const used = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
    const inUse = used.filter((volume) => !volume.startsWith(".")).map((volume) => volume.split(":")[0]);
    expect(new Set(inUse)).to.deep.equal(new Set(Object.keys(compose.volumes)));
    for (const name of ["kafka", "redis", "mongo"]) expect(serviceOf(name).volumes).to.have.lengthOf(1);
  });

  it("publishes the balancer, and Kafka on loopback only", () => {
    const ports = Object.entries(compose.services).flatMap(([name, { ports: published = [] }]) =>
      published.map((port) => `${name} ${port}`),
    );
    expect(ports).to.deep.equal(["nginx 8080:8080", "kafka 127.0.0.1:9094:9094"]);
    expect(serviceOf("kafka").environment?.["KAFKA_ADVERTISED_LISTENERS"]).to.equal(
      "INTERNAL://kafka:9092,HOST://127.0.0.1:9094",
    );
  });

  it("lets Redis lose and evict nothing", () => {
    const command = serviceOf("redis").command?.join(" ");
    expect(command).to.contain("--appendonly yes").and.to.contain("--maxmemory-policy noeviction");
  });

  it("takes official images of a pinned version, the same as the tests", () => {
    const images = Object.values(compose.services)
      .map(({ image = "" }) => image)
      .filter((image) => !image.endsWith(":local"));
    const pinned = /^(nginx|apache\/kafka|redis|mongo):\d+\.\d+/;
    expect(images.filter((image) => !pinned.test(image))).to.deep.equal([]);
    const forTests = readFileSync(new URL("../services/compose.yml", import.meta.url), "utf8");
    for (const { image } of Object.values((parse(forTests) as ComposeFile).services)) {
      expect(images).to.include(image);
    }
  });

  it("sets only settings that the programs have", async () => {
    for (const [name, folder] of [
      ["api", "api"],
      ["worker", "workers"],
    ] as const) {
      const known = await settingsOf(folder);
      const unknown = Object.keys(serviceOf(name).environment ?? {}).filter(
        (variable) => !known.has(variable),
      );
      expect(unknown, name).to.deep.equal([]);
    }
  });
});

function serviceOf(name: string): ComposeService {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`no service ${name}`);
  return service;
}

function seconds({ stop_grace_period = "" }: ComposeService): number {
  return Number(/^(\d+)s$/.exec(stop_grace_period)?.[1]);
}

/** The names in the settings table of a program, and `<NAME>_FILE` for its secrets. */
async function settingsOf(folder: "api" | "workers"): Promise<ReadonlySet<string>> {
  const url = new URL(`../../${folder}/settings.ts`, import.meta.url);
  const exported: unknown[] = Object.values((await import(url.href)) as Record<string, unknown>);
  const names = exported.flatMap((table) =>
    typeof table === "object" && table !== null
      ? Object.entries(table).flatMap(([name, setting]: [string, unknown]) => namesOf(name, setting))
      : [],
  );
  return new Set(names);
}

function namesOf(name: string, setting: unknown): readonly string[] {
  if (typeof setting !== "object" || setting === null || !("isSecret" in setting)) return [];
  return setting.isSecret === true ? [name, `${name}_FILE`] : [name];
}
