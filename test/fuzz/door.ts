import type { Random } from "../support/random.ts";

/** What went against a promise: a 5xx, a hang, something bad that was taken, something good that was not. */
export interface Finding {
  readonly what: string;
  /** What was sent, as a text that shows every byte. */
  readonly input: string;
}

export interface Attempt {
  /** How each input was answered, and what became of it, to be counted. */
  readonly outcomes: readonly string[];
  readonly finding?: Finding | undefined;
}

export interface OpenDoor {
  /** One input or several, made by `random` alone, so that a case replays from its seed and number; and the judgement. */
  readonly attempt: (random: Random) => Promise<Attempt>;
  /** Whether good inputs are still taken and bad ones are not. Asked now and then, and at the end. */
  readonly isWell: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** A place where the product takes in what anybody may send, to be tried with what nobody should. */
export interface FuzzDoor {
  readonly name: string;
  /** What is sent, in a line. */
  readonly about: string;
  readonly open: () => Promise<OpenDoor>;
  /** How many attempts are made at the same time, and how long one may take; 8 and 10 s unless given. */
  readonly atOnce?: number;
  readonly hangMs?: number;
}
