import type { Server } from "node:net";

/** Resolves when the server listens; rejects with the system's error, and the server may then try again elsewhere. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
