import { parseArgs } from "node:util";
import { createLog } from "../shared/log.ts";
import { createPlatform } from "../shared/platform.ts";
import { configureEmbedded } from "./configure.ts";
import { createDemoClient, type DemoClient } from "./demo-client.ts";
import type { Person } from "./people.ts";
import { startEmbedded } from "./start-embedded.ts";

const { values } = parseArgs({ options: { deactivations: { type: "string", default: "20" } } });
const rounds = Number(values.deactivations);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 10_000) {
  process.stderr.write("--deactivations takes a whole number from 1 to 10000\n");
  process.exitCode = 2;
} else {
  await tell(rounds);
}

/** The story of one revocation, then the same again many times for the figures. */
async function tell(count: number): Promise<void> {
  const platform = createPlatform();
  const source = { environment: { PORT: "0" }, readFile: () => "" };
  const log = createLog({ level: "warn", name: "demo" });
  const running = await startEmbedded({ ...(await configureEmbedded(source)), platform, log });
  try {
    const [one, two] = [createDemoClient(running.urls[0]), createDemoClient(running.urls[1])];
    const [alice] = running.users;
    if (alice === undefined) throw new TypeError("alice is missing");
    const adminToken = await one.signIn(running.administrator);
    say(`Two API instances and a worker run in this process: ${running.urls.join(" and ")}.\n`);

    const token = await one.signIn(alice);
    say(
      `alice signs in on instance 1.        instance 1 answers ${await one.me(token)}, instance 2 ${await two.me(token)}`,
    );
    const { tookMs } = await deactivateAndMeasure({ one, two, alice, token, adminToken });
    say(`The administrator deactivates her on instance 1, with a 202.`);
    say(
      `Her token, ${tookMs.toFixed(1)} ms later:           instance 1 answers ${await one.me(token)}, instance 2 ${await two.me(token)}`,
    );
    const receipt = await one.receipt(alice.id, adminToken);
    say(
      `The receipt says: ${receipt.status}, by ${receipt.instances.length} of 2 instances, tokens revoked: ${receipt.tokens_revoked}.`,
    );
    await one.reactivate(alice.id, adminToken);
    const again = await one.signIn(alice);
    say(
      `She is reactivated and signs in anew. the old token gets ${await two.me(token)}, the new one ${await two.me(again)}\n`,
    );

    await measure({ one, two, alice, adminToken }, count);
  } finally {
    await running.close();
  }
}

interface Stage {
  readonly one: DemoClient;
  readonly two: DemoClient;
  readonly alice: Person;
  readonly adminToken: string;
}

/** From the 202 of instance 1 until instance 2 refuses. */
async function deactivateAndMeasure({
  one,
  two,
  alice,
  token,
  adminToken,
}: Stage & { readonly token: string }) {
  await one.deactivate(alice.id, adminToken);
  const startedAt = performance.now();
  while ((await two.me(token)) !== 401) continue;
  return { tookMs: performance.now() - startedAt };
}

async function measure(stage: Stage, count: number): Promise<void> {
  const took: number[] = [];
  for (let round = 0; round < count; round += 1) {
    const token = await stage.one.signIn(stage.alice);
    took.push((await deactivateAndMeasure({ ...stage, token })).tookMs);
    await stage.one.reactivate(stage.alice.id, stage.adminToken);
  }
  took.sort((a, b) => a - b);
  const at = (quantile: number) => (took[Math.ceil(quantile * took.length) - 1] ?? 0).toFixed(1);
  say(
    `${count} more times, from the 202 until the other instance refuses: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
