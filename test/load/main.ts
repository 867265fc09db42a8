import { createClient } from "../support/client.ts";
import { runDeactivations } from "./deactivations.ts";
import { readInstanceIds } from "./instances.ts";
import { runIsolation } from "./isolation.ts";
import { parseOptions } from "./options.ts";
import { createPeopleOverHttp, signInPeople } from "./people.ts";
import { startProgress } from "./progress.ts";
import { createReport, isPassed, renderReport } from "./report.ts";
import { openSystem } from "./system.ts";
import { Traffic } from "./traffic.ts";

const options = parseOptions(process.argv);
const log = (line: string) => process.stderr.write(`load: ${line}\n`);
/** Of the time with deactivations, for each of the other two parts. */
const besides = { share: 0.25, leastSeconds: 2 } as const;
const connections = 64;

const system = await openSystem(options, log);
try {
  const { rate, seconds, requests: perSecond } = options;
  const admin = createClient(system.entryUrl);
  const adminToken = await admin.signIn(system.administrator.email, system.administrator.password);
  const administration = { admin, adminToken };
  const instances = await readInstanceIds(system, administration);
  const urls = system.instanceUrls.length > 0 ? system.instanceUrls : [system.entryUrl];
  const clients = urls.map((url) => createClient(url));
  const createPeople = system.createPeople ?? createPeopleOverHttp(admin, adminToken);
  const people = await signInPeople({ clients, createPeople }, options.users + 1 + rate * seconds, log);
  const isolated = people.pop();
  const innocents = people.slice(0, options.users);
  const victims = people.slice(options.users);
  const open = () => new Traffic(system.entryUrl, innocents, connections);

  const besideSeconds = Math.max(besides.leastSeconds, Math.round(seconds * besides.share));
  log(`${besideSeconds} s of requests, nobody is deactivated`);
  const quiet = open();
  await quiet.runOpen({ perSecond, seconds: besideSeconds });

  log(`${seconds} s of requests, ${rate} deactivations a second`);
  const busy = open();
  const progress = startProgress(log, {
    seconds,
    countersOf: () => `${busy.requests} requests, ${busy.innocentsRefused} innocents refused`,
  });
  const [deactivations] = await Promise.all([
    runDeactivations(system, {
      ...administration,
      people: victims,
      perSecond: rate,
      instances: instances.length,
    }),
    busy.runOpen({ perSecond, seconds }),
  ])
    .catch((error: unknown) => {
      // Said at once: the requests that are under way fail, too, once the system is closed.
      log(error instanceof Error ? error.message : String(error));
      throw error;
    })
    .finally(() => progress.stop());

  log(`${besideSeconds} s of requests without a pause, ${options.connections} at once`);
  const closed = open();
  await closed.runClosed(options.connections, besideSeconds);

  log("one instance loses Redis");
  const acceptedByIsolated = isolated ? await runIsolation(system, isolated, administration) : 0;
  const acceptedAfterEnforced = deactivations.acceptedAfterEnforced + acceptedByIsolated;
  const report = createReport({
    options,
    instances,
    traffic: { quiet, busy, closed },
    deactivations: { ...deactivations, acceptedAfterEnforced },
  });
  process.stdout.write(`${options.json ? JSON.stringify(report) : renderReport(report)}\n`);
  if (!isPassed(report)) process.exitCode = 1;
  await Promise.all([quiet, busy, closed].map((one) => one.close()));
} finally {
  await system.close();
}
