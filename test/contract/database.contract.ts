import { afterEach, beforeEach, describe } from "mocha";
import type { Database } from "../../shared/ports/database.ts";
import { ledgerContract } from "./ledger.contract.ts";
import { sessionStoreContract } from "./session-store.contract.ts";
import { userStoreContract } from "./user-store.contract.ts";

export interface DatabaseFixture {
  /** Another connection to the same database. */
  connect(): Promise<Database>;
  close(): Promise<void>;
}

/** What a suite of one port needs: two connections to one empty database. */
export interface Databases {
  readonly one: Database;
  readonly other: Database;
}

export function databaseContract(title: string, openFixture: () => Promise<DatabaseFixture>): void {
  describe(`${title}: database`, () => {
    let fixture: DatabaseFixture;
    let databases: Databases;

    beforeEach(async () => {
      fixture = await openFixture();
      databases = { one: await fixture.connect(), other: await fixture.connect() };
      await Promise.all([databases.one.migrate(), databases.other.migrate()]);
    });
    afterEach(() => fixture.close());

    userStoreContract(() => databases);
    sessionStoreContract(() => databases);
    ledgerContract(() => databases);
  });
}
