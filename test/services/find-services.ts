import { hasContainerEngine } from "./containers.ts";
import { startServices, type UsedServices } from "./start-services.ts";

const names = ["QUASH_TEST_MONGO_URL", "QUASH_TEST_REDIS_URL", "QUASH_TEST_KAFKA_BROKERS"] as const;

/**
 * The real services for a test run: those whose addresses are given (all three, as QUASH_TEST_* or under the names of
 * the settings), else containers, else processes on this machine. `release` gives up what was started here.
 */
export async function findServices(
  env: NodeJS.ProcessEnv,
  log: (line: string) => void = (line) => process.stderr.write(`services: ${line}\n`),
): Promise<UsedServices> {
  const [mongoUrl, redisUrl, kafkaBrokers] = names.map(
    (name) => env[name] || env[name.replace("QUASH_TEST_", "")] || undefined,
  );
  if (mongoUrl !== undefined && redisUrl !== undefined && kafkaBrokers !== undefined) {
    return { mongoUrl, redisUrl, kafkaBrokers, release: () => Promise.resolve() };
  }
  if (mongoUrl !== undefined || redisUrl !== undefined || kafkaBrokers !== undefined) {
    throw new Error("MONGO_URL, REDIS_URL and KAFKA_BROKERS belong together: give all three, or none");
  }
  return startServices({ env, log, containers: hasContainerEngine() });
}
