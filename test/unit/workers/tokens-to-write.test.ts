import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { QuashEvent } from "../../../shared/events/event.ts";
import { silentLog } from "../../../shared/log.ts";
import type { Parts } from "../../../shared/ports/parts.ts";
import { createRepair } from "../../../workers/pruner/repair.ts";
import { createApplyEvent } from "../../../workers/revoker/apply-event.ts";
import { receiveEvent } from "../../../workers/revoker/received-event.ts";
import { createTokensToWrite } from "../../../workers/revoker/tokens-to-write.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";
import { createWorkerWorld, intercept, namespace, type WorkerWorld } from "../../support/worker-world.ts";

const heartbeat = () => Promise.resolve();

/** Two events that mean the same tokens: of a session, and of a sign-out elsewhere that came late. */
describe("applying an event whose tokens another event marked first", () => {
  let world: WorkerWorld;
  let repair: () => Promise<unknown>;
  let jtis: string[];
  let events: { session: QuashEvent; late: QuashEvent };

  const apply = (event: QuashEvent, { store = world.store, ledger = world.database.ledger }: Seams = {}) => {
    const { applyEvent } = createApplyEvent({ ...world.applyDeps, ledger, store });
    return applyEvent(receiveEvent(event, { namespace }), { heartbeat });
  };
  const revoked = () => Promise.all(jtis.map((jti) => world.isTokenRevoked(jti)));

  beforeEach(async () => {
    world = await createWorkerWorld();
    const { store, platform, names } = world;
    const deps = { ledger: world.database.ledger, store, platform, names, log: silentLog };
    repair = () => createRepair(deps)({ asWiped: false });
    await repair();
    const user = await world.addUser();
    const sid = await world.addSession(user.id, 1);
    jtis = [];
    // Beyond any cut-off that the two write: their epoch is the user's next.
    for (let n = 0; n < 3; n += 1) jtis.push(await world.addToken(user.id, { sid, epoch: 1 }));
    await platform.advance(1_000);
    const late = world.event("user.signed-out", { subject: user.id });
    await platform.advance(1_000);
    await world.changeUser(user.id, "user.signed-out");
    events = { late, session: world.ownEvent("user.signed-out", user.id, { sid }) };
  });

  /** Its tokens bear its mark, and none of them is in the store. */
  async function dieAfterMarking(event: QuashEvent): Promise<void> {
    let areMarked = false;
    const ledger = intercept(world.database.ledger, "listMarked", () => (areMarked = true));
    const store = intercept(world.store, "add", () => {
      if (areMarked) throw new Error("killed");
    });
    const outcome = await apply(event, { store, ledger }).catch((error: unknown) => error);
    expect(outcome).to.include({ message: "killed" });
    const marked = [(await world.rowOf(event))?.eventId ?? ""];
    const page = { expiresAfterMs: 0, limit: 10 };
    expect(await world.database.ledger.listMarked(marked, page)).to.have.length(3);
    expect(await revoked()).to.deep.equal([false, false, false]);
  }

  for (const [first, second] of [
    ["late", "session"],
    ["session", "late"],
  ] as const) {
    it(`writes them, though the worker that marked them died (${first}, then ${second})`, async () => {
      await dieAfterMarking(events[first]);
      expect(await apply(events[second])).to.equal("applied");
      expect(await revoked()).to.deep.equal([true, true, true]);
      expect(await world.rowOf(events[second])).to.include({ status: "applied", tokensRevoked: 0 });
    });

    it(`writes them when the event that marked them was given up (${first}, then ${second})`, async () => {
      await dieAfterMarking(events[first]);
      const { eventId = "" } = (await world.rowOf(events[first])) ?? {};
      await world.database.ledger.noteFailed(eventId, { untilMs: world.platform.clock.wallMs() });
      expect(await apply(events[second])).to.equal("applied");
      expect(await revoked()).to.deep.equal([true, true, true]);
    });

    it(`writes them again after a repair that passed over their marks (${first}, then ${second})`, async () => {
      await dieAfterMarking(events[first]);
      await apply(events[second]);
      await world.platform.advance(1_000);
      world.storeServer.wipe();
      const { eventId = "" } = (await world.rowOf(events[first])) ?? {};
      await world.database.ledger.noteFailed(eventId, { untilMs: 0 });
      await repair();
      expect(await revoked()).to.deep.equal([false, false, false]);
      expect(await apply(events[second])).to.equal("rewritten");
      expect(await revoked()).to.deep.equal([true, true, true]);
    });
  }
});

type Seams = Partial<Pick<Parts, "store"> & Pick<Parts["database"], "ledger">>;

describe("the tokens that an event has to bring to the store", () => {
  const nobody = { subject: "u", external: null, jti: null, epoch: null, notBefore: null, unrecorded: false };
  const tokens = ["a", "b", "c", "d", "e"].map((jti) => ({ jti, expiresAtMs: Infinity, revokedBy: "other" }));

  it("are read in pages, those that another event marked, too", async () => {
    const asked: string[] = [];
    const tokensToWrite = createTokensToWrite({
      ledger: {
        listMarked: (_eventIds, { limit, after = "" }) => read("own", limit, after),
        listMarkedByOthers: (_eventId, _selection, { limit, after = "" }) => read("other", limit, after),
      },
      clock: createManualPlatform().clock,
      pageSize: 2,
    });
    const plan = {
      ...nobody,
      marks: [{ by: "session", sid: "s" }],
      marksMore: true,
      namedToken: null,
    } as const;
    const found: string[] = [];
    for await (const page of tokensToWrite("e1", plan)) found.push(...page.map(({ jti }) => jti));
    expect(found.join("")).to.equal("abcdeabcde");
    expect(asked).to.deep.equal(["own ", "own b", "own d", "other ", "other b", "other d"]);

    function read(whose: string, limit: number, after: string) {
      asked.push(`${whose} ${after}`);
      return Promise.resolve(tokens.filter(({ jti }) => jti > after).slice(0, limit));
    }
  });
});
