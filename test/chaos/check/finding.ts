/** A broken promise, and where in the log it shows. */
export interface Violation {
  readonly invariant: "I1" | "I1b" | "I2" | "I4" | "I6" | "I7" | "log";
  readonly detail: string;
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
