/** What other systems do to the topic. */
export interface EventFaults {
  /** Publishes again what was acknowledged before. */
  duplicate(): Promise<void>;
  /** Publishes what cannot be decoded. */
  poison(): Promise<void>;
}
