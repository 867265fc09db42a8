import type { Log } from "../../shared/log.ts";
import type { Cancel, Timers } from "../../shared/ports/platform.ts";
import { type KeySet, parseKeys } from "../tokens/keys.ts";

export interface KeyListener {
  readonly onKeys: (keys: KeySet) => void;
  /** The file cannot be read, or its keys are not acceptable: those before it go on. */
  readonly onRefused: () => void;
}

export interface KeyUpdates {
  subscribe(listener: KeyListener): Cancel;
}

export interface KeyWatch extends KeyUpdates {
  /** Looks at once. Never rejects. */
  reload(): Promise<void>;
  /** Resolves when no look is under way. */
  settled(): Promise<void>;
}

export interface KeyWatchDeps {
  readonly path: string;
  readonly readFile: (path: string) => Promise<string>;
  readonly timers: Timers;
  readonly log: Log;
}

/** Read, not watched by the system: that misses files that are mounted, linked or on another machine. */
const lookEveryMs = 2_000;

/**
 * Follows the file of the signing keys while somebody listens. A text that is refused is told of once, and, unless
 * `reload` asked, only when it is still there at the next look: whoever writes in place is seen half-way.
 */
export function createKeyWatch({ path, readFile, timers, log }: KeyWatchDeps): KeyWatch {
  const listeners = new Set<KeyListener>();
  let taken: string | null = null;
  let doubted: string | null = null;
  let refused: string | null = null;
  let cancelNext: Cancel = () => undefined;
  let looking: Promise<void> = Promise.resolve();

  async function look(isAsked: boolean): Promise<void> {
    let text: string | null = null;
    try {
      text = await readFile(path);
      if (text === taken) return accept(text);
      if (text === refused && !isAsked) return;
      const keys = await parseKeys(text);
      accept(text);
      for (const { onKeys } of listeners) onKeys(keys);
    } catch (err) {
      refuse(text ?? "", { err, isAsked });
    }
  }

  function accept(text: string): void {
    if (refused !== null) log.info("keys.file-good-again", { path });
    [taken, doubted, refused] = [text, null, null];
  }

  function refuse(text: string, { err, isAsked }: { err: unknown; isAsked: boolean }): void {
    const isSure = isAsked || text === doubted;
    doubted = text;
    if (!isSure || (text === refused && !isAsked)) return;
    refused = text;
    log.error("keys.file-refused", {
      path,
      advice: "the keys before it go on; put a good file in its place, or run `npm run keys -- list`",
      err,
    });
    for (const { onRefused } of listeners) onRefused();
  }

  /** One look after the other: two at once could bring back what was there before. */
  function queue(isAsked: boolean): Promise<void> {
    looking = looking.then(() => look(isAsked));
    return looking;
  }

  function lookLater(): void {
    cancelNext = timers.after(lookEveryMs, () => void lookAgain());
  }

  async function lookAgain(): Promise<void> {
    await queue(false);
    if (listeners.size > 0) lookLater();
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (listeners.size === 1) lookLater();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) cancelNext();
      };
    },
    reload: () => queue(true),
    settled: () => looking,
  };
}
