/**
 * What a process takes from the machine it runs on. Everything below the composition roots gets it as
 * a dependency, so that a simulation can own time, order and chance.
 */
export interface Clock {
  /** Milliseconds since 1970 by the wall clock. May step, forward and back. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start. Never steps back; stands still in a suspended machine. */
  monotonicMs(): number;
  /** Milliseconds since the machine started, to about ten. Never steps back; runs on while the machine is suspended. */
  bootMs(): number;
}

export type Cancel = () => void;

export interface Timers {
  /** Calls `callback` once after `delayMs`; does not keep the process alive by itself. */
  after(delayMs: number, callback: () => void): Cancel;
  /** Resolves after `delayMs`, or at once when `signal` is aborted. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Ids {
  /** A fresh random UUID in its canonical lower-case form. */
  uuid(): string;
}

export interface Randomness {
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1): for jitter only, never for secrets. */
  fraction(): number;
}

export interface Platform {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ids: Ids;
  readonly randomness: Randomness;
}

export interface PasswordHasher {
  /** An encoded hash that carries its own salt and parameters. */
  hash(password: string): Promise<string>;
  /** Takes as long for a hash that does not match as for one that does. */
  verify(encodedHash: string, password: string): Promise<boolean>;
}
