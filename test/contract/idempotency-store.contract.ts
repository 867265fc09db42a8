import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { BeginningCall, IdempotencyStore, KeptAnswer } from "../../shared/ports/idempotency-store.ts";
import type { Databases } from "./database.contract.ts";

const minuteMs = 60_000;
const nowMs = Date.UTC(2026, 0, 15, 12);
/** Far ahead, so that no server removes it during a test. */
const expiresAtMs = Date.UTC(2126, 0, 15);

function aCall(changed: Partial<BeginningCall> = {}): BeginningCall {
  return {
    id: "c1",
    fingerprint: "f1",
    holder: "h1",
    nowMs,
    abandonedAtMs: nowMs - minuteMs,
    expiresAtMs,
    ...changed,
  };
}

const answer: KeptAnswer = {
  status: 201,
  location: "/users/u1",
  contentType: "application/json; charset=utf-8",
  body: '{"id":"u1","note":"\u{1f600}"}',
  problem: null,
};
const problem: KeptAnswer = {
  status: 404,
  location: null,
  contentType: null,
  body: "",
  problem: "not-found",
};

export function idempotencyStoreContract(databases: () => Databases): void {
  describe("idempotency", () => {
    let calls: IdempotencyStore;
    let elsewhere: IdempotencyStore;

    beforeEach(() => {
      calls = databases().one.idempotency;
      elsewhere = databases().other.idempotency;
    });

    it("begins a call once, and gives its answer to whoever makes it again", async () => {
      expect(await calls.begin(aCall())).to.deep.equal({ state: "begun", operation: "h1", isRepeat: false });
      expect(await elsewhere.begin(aCall({ holder: "h2" }))).to.deep.equal({ state: "under-way" });
      expect(await calls.finish("c1", "h1", answer)).to.equal(true);
      expect(await elsewhere.begin(aCall({ holder: "h3" }))).to.deep.equal({ state: "answered", answer });
    });

    it("keeps the answer of a problem, and one without a body", async () => {
      await calls.begin(aCall());
      await calls.finish("c1", "h1", problem);
      expect(await elsewhere.begin(aCall())).to.deep.equal({ state: "answered", answer: problem });
    });

    it("lets one of many at once begin", async () => {
      const begun = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? calls : elsewhere).begin(aCall({ holder: `h${index}` })),
        ),
      );
      expect(begun.map(({ state }) => state).toSorted()).to.deep.equal([
        "begun",
        ...Array<string>(9).fill("under-way"),
      ]);
    });

    it("tells another call under the same key, whether or not the first is answered", async () => {
      await calls.begin(aCall());
      expect(await elsewhere.begin(aCall({ fingerprint: "f2" }))).to.deep.equal({ state: "other-call" });
      await calls.finish("c1", "h1", answer);
      expect(await elsewhere.begin(aCall({ fingerprint: "f2" }))).to.deep.equal({ state: "other-call" });
    });

    it("lets one take over a call that was abandoned, as the same operation", async () => {
      await calls.begin(aCall());
      const later = { nowMs: nowMs + minuteMs, abandonedAtMs: nowMs };
      const begun = await Promise.all([
        calls.begin(aCall({ holder: "h2", ...later })),
        elsewhere.begin(aCall({ holder: "h3", ...later })),
      ]);
      expect(begun).to.deep.include({ state: "begun", operation: "h1", isRepeat: true });
      expect(begun).to.deep.include({ state: "under-way" });
    });

    it("takes nothing from whom a call was taken", async () => {
      await calls.begin(aCall());
      await elsewhere.begin(aCall({ holder: "h2", nowMs: nowMs + minuteMs, abandonedAtMs: nowMs }));
      expect(await calls.finish("c1", "h1", problem)).to.equal(false);
      await calls.release("c1", "h1");
      expect(await elsewhere.finish("c1", "h2", answer)).to.equal(true);
      expect(await calls.begin(aCall())).to.deep.equal({ state: "answered", answer });
    });

    it("forgets what is released, and nothing that is answered", async () => {
      await calls.begin(aCall());
      await calls.release("c1", "h1");
      expect(await elsewhere.begin(aCall({ fingerprint: "f2", holder: "h2" }))).to.include({
        state: "begun",
        isRepeat: false,
      });
      await elsewhere.finish("c1", "h2", answer);
      await elsewhere.release("c1", "h2");
      expect(await calls.finish("c1", "h2", problem)).to.equal(false);
      expect(await calls.begin(aCall({ fingerprint: "f2" }))).to.deep.equal({ state: "answered", answer });
    });

    it("takes what has expired for not there", async () => {
      await calls.begin(aCall());
      await calls.finish("c1", "h1", answer);
      const later = aCall({
        fingerprint: "f2",
        holder: "h2",
        nowMs: expiresAtMs,
        expiresAtMs: expiresAtMs + 1,
      });
      expect(await elsewhere.begin(later)).to.deep.equal({
        state: "begun",
        operation: "h2",
        isRepeat: false,
      });
      expect(await calls.begin({ ...later, holder: "h3" })).to.deep.equal({ state: "under-way" });
    });

    it("purges what has expired, at most as much as it was told", async () => {
      for (const [index, at] of [1_000, 2_000, 2_999, 3_000].entries()) {
        await calls.begin(aCall({ id: `c${index}`, nowMs: 500, abandonedAtMs: 0, expiresAtMs: at }));
      }
      expect(await calls.purge(3_000, 2)).to.equal(2);
      expect(await elsewhere.purge(3_000, 2)).to.equal(1);
      expect(await elsewhere.purge(3_000, 2)).to.equal(0);
      const again = aCall({ id: "c3", nowMs: 600, abandonedAtMs: 0, holder: "h2" });
      expect(await calls.begin(again)).to.deep.equal({ state: "under-way" });
    });

    it("finishes nothing that was not begun", async () => {
      expect(await calls.finish("c1", "h1", answer)).to.equal(false);
      await calls.release("c1", "h1");
    });
  });
}
