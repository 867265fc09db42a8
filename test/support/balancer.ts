import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePorts } from "../services/free-ports.ts";
import { eventually } from "./eventually.ts";
import { missingPrograms } from "./requirements.ts";

export interface Balancer {
  readonly url: string;
  /** What the name of the API resolves to from now on; nginx follows within its two seconds. */
  setAddresses(addresses: readonly string[]): void;
  close(): Promise<void>;
}

export interface BalancerOptions {
  readonly addresses: readonly string[];
  readonly port: number;
  /** Where the balancer itself listens, on 127.0.0.1; a free port unless given. */
  readonly listenPort?: number;
}

/** What startBalancer needs and this machine lacks. */
export const missingForBalancer = (): readonly string[] => missingPrograms(["nginx", "dnsmasq"]);

/**
 * The balancer of the compose file without containers: the same nginx configuration, and a DNS server that knows the
 * one name `api`. The instances listen on `addresses`, all on the same `port`.
 */
export async function startBalancer({ addresses, port, listenPort }: BalancerOptions): Promise<Balancer> {
  const folder = mkdtempSync(path.join(tmpdir(), "quash-balancer-"));
  const [freePort = 0, dnsPort = 0] = await freePorts(2);
  const httpPort = listenPort ?? freePort;
  const hosts = path.join(folder, "hosts");
  writeHosts(hosts, addresses);
  const dns = run("dnsmasq", dnsArguments(hosts, dnsPort));
  writeFileSync(path.join(folder, "nginx.conf"), wrapperConfig(folder));
  const values = {
    NGINX_LISTEN: `127.0.0.1:${httpPort}`,
    NGINX_RESOLVER: `127.0.0.1:${dnsPort}`,
    NGINX_API: `api:${port}`,
  };
  writeFileSync(path.join(folder, "quash.conf"), renderTemplate(values));
  const nginx = run("nginx", ["-p", folder, "-c", path.join(folder, "nginx.conf")]);
  const close = async () => {
    await Promise.all([nginx.end(), dns.end()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all([answers(dnsPort, dns), answers(httpPort, nginx)]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${httpPort}`,
    setAddresses(next) {
      writeHosts(hosts, next);
      dns.child.kill("SIGHUP");
    },
    close,
  };
}

/** As the image of nginx does it: only variables that start with NGINX_ are filled in. */
function renderTemplate(values: Readonly<Record<string, string>>): string {
  const template = new URL("../../api/balancer/nginx.conf.template", import.meta.url);
  return readFileSync(template, "utf8").replaceAll(/\$\{(NGINX_\w+)\}/g, (_match, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the template wants ${name}`);
    return value;
  });
}

function wrapperConfig(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join("\n");
  return `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
${temporary}
  include ${folder}/quash.conf;
}
`;
}

function dnsArguments(hosts: string, port: number): readonly string[] {
  const own = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-daemon", "--pid-file="];
  const listen = [`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces"];
  // Docker's DNS server lets its answers be kept for ten minutes too.
  return [...own, ...listen, `--addn-hosts=${hosts}`, "--local-ttl=600"];
}

function writeHosts(file: string, addresses: readonly string[]): void {
  writeFileSync(file, addresses.map((address) => `${address} api\n`).join(""));
}

interface Running {
  readonly child: ChildProcess;
  readonly lastWords: () => string;
  readonly end: () => Promise<void>;
}

function run(command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-4000);
  });
  child.once("error", (error) => {
    words += String(error);
  });
  const end = async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };
  return { child, lastWords: () => words, end };
}

async function answers(port: number, { child, lastWords }: Running): Promise<void> {
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} has ended: ${lastWords()}`);
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
    } finally {
      socket.destroy();
    }
  });
}
