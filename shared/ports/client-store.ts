/**
 * OAuth clients, by what they authenticate with, and the assertions that they have used. Whether a client may do
 * anything, and what, stands in the user of the same id, so that one is cut off as the other is.
 *
 * Writes are acknowledged by a majority and the journal. Errors: `dependency-unavailable` means "not known to have
 * happened".
 */
export interface ClientStore {
  createClient(client: Client): Promise<void>;
  findClient(id: string): Promise<Client | null>;
  /** Ordered by id, after `after`. */
  listClients(page: { readonly after?: string; readonly limit: number }): Promise<Client[]>;
  /** False when there is none. */
  deleteClient(id: string): Promise<boolean>;

  /** Whether it is used for the first time: of many calls with one key, also at once, one gets true. */
  useAssertion(assertion: UsedAssertion): Promise<boolean>;
  /** Removes assertions that expired before the time; how many went. */
  purgeAssertions(expiredBeforeMs: number, limit: number): Promise<number>;
}

export interface Client {
  /** A UUID: the `sub` and the `client_id` of its tokens. */
  readonly id: string;
  readonly name: string;
  /** SHA-256 of a secret of 256 bits, hexadecimal; null for one that has keys only. */
  readonly secretHash: string | null;
  /** A JWK Set of public keys, as JSON; null for one that has a secret only. */
  readonly jwks: string | null;
  /** The sources that its events may name; any where there is none here. */
  readonly sources: readonly string[];
  readonly createdAtMs: number;
}

export interface UsedAssertion {
  /** Fixed-size: made from the client and the assertion's `jti`. */
  readonly key: string;
  readonly expiresAtMs: number;
}
