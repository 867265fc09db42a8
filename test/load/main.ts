import { createClient } from "../support/client.ts";
import { runDeactivations } from "./deactivations.ts";
import { runIsolation } from "./isolation.ts";
import { parseOptions } from "./options.ts";
import { signInPeople } from "./people.ts";
import { createReport, renderReport } from "./report.ts";
import { openSystem } from "./system.ts";
import { runTraffic } from "./traffic.ts";

const options = parseOptions(process.argv);
const log = (line: string) => process.stderr.write(`load: ${line}\n`);
const innocents = 50;

const system = await openSystem(options, log);
try {
  const admin = createClient(system.entryUrl);
  const adminToken = await admin.signIn(system.administrator.email, system.administrator.password);
  const urls = system.instanceUrls.length > 0 ? system.instanceUrls : [system.entryUrl];
  const clients = urls.map((url) => createClient(url));
  const people = await signInPeople(clients, adminToken, innocents + 1 + options.rate * options.seconds, log);
  const isolated = people.pop();
  log(`measuring for ${options.seconds} s`);
  const [traffic, deactivations] = await Promise.all([
    runTraffic(system.entryUrl, people.slice(0, innocents), {
      perSecond: options.requests,
      seconds: options.seconds,
    }),
    runDeactivations(system, { people: people.slice(innocents), perSecond: options.rate, admin, adminToken }),
  ]);
  log("one instance loses Redis");
  const acceptedByIsolated = isolated
    ? await runIsolation(system, { person: isolated, admin, adminToken })
    : 0;
  const acceptedAfterEnforced = deactivations.acceptedAfterEnforced + acceptedByIsolated;
  const report = createReport({
    options,
    instances: system.instanceUrls.length,
    traffic,
    deactivations: { ...deactivations, acceptedAfterEnforced },
  });
  process.stdout.write(`${options.json ? JSON.stringify(report) : renderReport(report)}\n`);
  const isKept = report.accepted_after_enforced === 0 && report.innocents_refused === 0;
  const couldShow = report.revoked_probes > 0 && report.innocent_probes > 0;
  if (!isKept || !couldShow) process.exitCode = 1;
} finally {
  await system.close();
}
