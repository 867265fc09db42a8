import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Database } from "../../shared/ports/database.ts";
import { auditStoreContract } from "./audit-store.contract.ts";
import { clientStoreContract } from "./client-store.contract.ts";
import { holdsContract } from "./holds.contract.ts";
import { idempotencyStoreContract } from "./idempotency-store.contract.ts";
import { ledgerContract } from "./ledger.contract.ts";
import { safeguardsContract } from "./safeguards.contract.ts";
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

    it("answers a ping on each of its ports", async () => {
      const { one, other } = databases;

      expect([await one.ping(), await one.users.ping(), await other.ledger.ping()]).not.to.include(false);
    });

    it("is migrated by many at once, also with what it holds", async () => {
      const { one, other } = databases;
      await one.ledger.writeFence("first");

      await Promise.all([one, other, one, other, one].map((database) => database.migrate()));
      expect((await other.ledger.readFence())?.incarnation).to.equal("first");
    });

    userStoreContract(() => databases);
    sessionStoreContract(() => databases);
    ledgerContract(() => databases);
    idempotencyStoreContract(() => databases);
    holdsContract(() => databases);
    safeguardsContract(() => databases);
    auditStoreContract(() => databases);
    clientStoreContract(() => databases);
  });
}
