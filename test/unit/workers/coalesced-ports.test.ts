import { expect } from "chai";
import { describe, it } from "mocha";
import { createInProcessDatabaseServer } from "../../../shared/in-process/database.ts";
import { createCoalescedLedger } from "../../../workers/coalesced-ports.ts";
import { pendingRow } from "../../support/ledger-rows.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

describe("the joined calls of a worker", () => {
  const ids = Array.from({ length: 450 }, (_, n) => `e${n}`);
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** As the batches of several partitions do, each in a turn of its own. */
  async function inTurns<T>(ask: (eventId: string) => Promise<T>): Promise<T[]> {
    const answers: Promise<T>[] = [];
    for (let at = 0; at < ids.length; at += 150) {
      answers.push(...ids.slice(at, at + 150).map(ask));
      await turn();
    }
    return Promise.all(answers);
  }

  it("are bounded, each and in how many there are at a time, however many events ask", async () => {
    const { ledger } = createInProcessDatabaseServer(createManualPlatform()).connect();
    const sizes: number[] = [];
    let [underWay, most] = [0, 0];
    const counted = async <T>(size: number, run: () => Promise<T>): Promise<T> => {
      sizes.push(size);
      underWay += 1;
      most = Math.max(most, underWay);
      for (let turns = 0; turns < 5; turns += 1) await turn();
      underWay -= 1;
      return run();
    };
    const joined = createCoalescedLedger({
      ...ledger,
      findMany: (eventIds) => counted(eventIds.length, () => ledger.findMany(eventIds)),
      insertPending: (rows) => counted(rows.length, () => ledger.insertPending(rows)),
    });
    await inTurns((eventId) => joined.insertPending([pendingRow({ eventId })]));
    const found = await inTurns((eventId) => joined.find(eventId));
    expect(found.map((row) => row?.eventId)).to.deep.equal(ids);
    expect([most, Math.max(...sizes)]).to.deep.equal([2, 100]);
    expect(sizes.reduce((sum, size) => sum + size)).to.equal(2 * ids.length);
  });

  it("are few at a time also where each has to list its own tokens", async () => {
    const { ledger } = createInProcessDatabaseServer(createManualPlatform()).connect();
    let [underWay, most] = [0, 0];
    const joined = createCoalescedLedger({
      ...ledger,
      async listMarked([eventId = ""], { limit }) {
        underWay += 1;
        most = Math.max(most, underWay);
        await turn();
        underWay -= 1;
        return Array.from({ length: limit }, (_, n) => ({
          jti: String(n),
          revokedBy: eventId,
          expiresAtMs: 9,
        }));
      },
    });
    const page = { expiresAfterMs: 0, limit: 3 };
    const lists = await Promise.all(
      ids.slice(0, 80).map((eventId) => joined.listMarked([eventId], { ...page, after: "0" })),
    );
    expect(lists.map(([first]) => first?.revokedBy)).to.deep.equal(ids.slice(0, 80));
    expect(most).to.equal(4);
  });

  it("list marked tokens in their order, of several events too", async () => {
    const tokens = ["a e2", "b e1", "c e2", "d e1"].map((text) => {
      const [jti = "", revokedBy = ""] = text.split(" ");
      return { jti, revokedBy, expiresAtMs: 9 };
    });
    const { ledger } = createInProcessDatabaseServer(createManualPlatform()).connect();
    const joined = createCoalescedLedger({
      ...ledger,
      listMarked: (eventIds, { limit }) =>
        Promise.resolve(tokens.filter(({ revokedBy }) => eventIds.includes(revokedBy)).slice(0, limit)),
    });
    const page = { expiresAfterMs: 0, limit: 2 };
    const [both] = await Promise.all([
      joined.listMarked(["e1", "e2"], page),
      joined.listMarked(["e2"], page),
    ]);
    expect(both.map(({ jti }) => jti)).to.deep.equal(["a", "b"]);
  });
});
