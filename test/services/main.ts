import { areInContainers, servicesStatus, startServices, stopServices } from "./start-services.ts";

async function main(command = ""): Promise<void> {
  switch (command) {
    case "start": {
      const { mongoUrl, redisUrl, kafkaBrokers } = await startServices({ keep: true });
      process.stdout.write(`MONGO_URL=${mongoUrl}\nREDIS_URL=${redisUrl}\nKAFKA_BROKERS=${kafkaBrokers}\n`);
      return;
    }
    case "stop":
      return stopServices();
    case "status":
      if (areInContainers()) process.stdout.write("containers of the project quash-test-services\n");
      for (const { name, pid, port } of servicesStatus()) {
        process.stdout.write(`${name}: ${pid === undefined ? "not running" : `pid ${pid}, port ${port}`}\n`);
      }
      return;
    default:
      process.stderr.write("usage: npm run services -- start|stop|status\n");
      process.exitCode = 2;
  }
}

try {
  await main(process.argv[2]);
} catch (error) {
  process.stderr.write(`services: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
