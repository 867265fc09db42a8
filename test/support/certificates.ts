import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A server's certificate for 127.0.0.1 and localhost, and the authority that nobody else knows; good for a day. */
export interface Certificates {
  readonly caFile: string;
  readonly caPem: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The key and the certificate, as a keystore in PEM. */
  readonly keystoreFile: string;
  remove(): Promise<void>;
}

export async function createCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "quash-tls-"));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "1",
    "-subj",
    "/CN=test authority",
  );
  await openssl(
    "req",
    "-new",
    ...newKey,
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
    "-subj",
    "/CN=127.0.0.1",
  );
  await writeFile(at("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "1"];
  await openssl("x509", "-req", "-in", "server.csr", ...signing, "-out", "server.pem");
  const [caPem = "", key = "", certificate = ""] = await Promise.all(
    ["ca.pem", "server.key", "server.pem"].map((name) => readFile(at(name), "utf8")),
  );
  await writeFile(at("keystore.pem"), key + certificate);
  return {
    caFile: at("ca.pem"),
    caPem,
    certFile: at("server.pem"),
    keyFile: at("server.key"),
    keystoreFile: at("keystore.pem"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
