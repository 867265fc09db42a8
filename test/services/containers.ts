import type { ServiceUrls } from "./start-services.ts";

export function startContainers(_log: (line: string) => void): Promise<ServiceUrls> {
  return Promise.reject(new Error("not yet"));
}

export function stopContainers(_log: (line: string) => void): Promise<void> {
  return Promise.resolve();
}
