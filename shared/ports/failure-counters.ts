/**
 * Counts failures by key. A key's window starts with its first failure and ends by itself, so that nothing is kept for
 * longer, and what fails on does not lengthen it. The counters of a server are shared by all processes of a namespace;
 * while that server is away each process counts for itself. Never rejects.
 */
export interface FailureCounters {
  /** The one set of keys of this name, in lower case; everybody who opens it gives the same window. */
  open(name: string, windowSeconds: number): FailureCounter;
  close(): void;
}

export interface FailureCounter {
  read(key: string): Promise<FailureCount>;
  /** Counts one more, atomically. */
  add(key: string): Promise<FailureCount>;
}

export interface FailureCount {
  readonly failures: number;
  /** Until the window ends; 0 when none has started. */
  readonly resetsInMs: number;
}
