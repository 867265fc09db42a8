import { createClosers, createEnding, type Running } from "../shared/lifecycle.ts";
import { startHttpServer } from "./http-server.ts";
import { type InstanceOptions, startInstance } from "./start-instance.ts";

export interface RunningApi extends Running {
  readonly url: string;
  readonly instanceId: string;
  /** Resolves once it accepts tokens and everything is there that it makes at its start. */
  whenReady(): Promise<void>;
}

/**
 * The composition root of an API instance. Listens at once, whatever is away: `/readyz` says what is missing. It
 * closes what it opened, and none of the parts that it was given.
 */
export async function startApi(options: InstanceOptions): Promise<RunningApi> {
  const { settings, platform } = options;
  const instanceId = platform.ids.uuid();
  const log = options.log.child({ instance: instanceId });
  const closers = createClosers(log);
  const ending = createEnding(closers);
  try {
    const instance = await startInstance({
      ...options,
      log,
      instanceId,
      onFailure: (error) => ending.fail(error),
    });
    closers.add("instance", () => instance.close());
    const server = await startHttpServer(instance.handle, {
      host: settings.HOST,
      port: settings.PORT,
      maxConnections: settings.MAX_CONNECTIONS,
      ids: platform.ids,
      log,
    });
    closers.add("http server", () => server.close());
    // Those who wait would keep the server open: they get their answers first.
    closers.add("open requests", () => instance.drain());
    log.info("api.listening", { url: server.url });

    return {
      url: server.url,
      instanceId,
      closed: ending.closed,
      whenReady: () => instance.whenReady(),
      get open() {
        return [...ending.open, ...instance.open];
      },
      close: () => ending.close(),
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}
