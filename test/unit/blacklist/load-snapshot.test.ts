import { expect } from "chai";
import { describe, it } from "mocha";
import { loadSnapshot } from "../../../api/blacklist/load-snapshot.ts";
import type { RevocationStore, StoreState } from "../../../shared/ports/revocation-store.ts";
import { packAdditions } from "../../../shared/revocation/packed-additions.ts";
import { createPosition } from "../../../shared/revocation/position.ts";
import { expectError } from "../../support/expect-error.ts";
import { storeState } from "../../support/store-state.ts";
import { createWorld, tokenRevocation } from "./world.ts";

const stateOf = (incarnation: string | null, head: number): StoreState =>
  storeState({ incarnation, head: createPosition(head, 0) });

/** A store that says one state before the load and another after it. */
function loadFrom(before: StoreState, after: StoreState) {
  const world = createWorld();
  const states = [before, after];
  const store: Pick<RevocationStore, "readState" | "load"> = {
    readState: () => Promise.resolve(states.shift() ?? after),
    async *load() {
      yield packAdditions([tokenRevocation(world.claims())]);
    },
  };
  const loaded = loadSnapshot({ store, blacklist: world.blacklist, inTime: (answer) => answer });
  return { ...world, loaded };
}

describe("loading a snapshot", () => {
  it("gives the place at which the feed stood before it", async () => {
    const { loaded, blacklist, claims } = loadFrom(stateOf("first", 10), stateOf("first", 20));

    expect(await loaded).to.deep.equal({ incarnation: "first", position: createPosition(10, 0) });
    expect(blacklist.isRevoked(claims())).to.equal("token-revoked");
  });

  for (const [what, after] of [
    ["has another incarnation", "second"],
    ["has lost its incarnation", null],
  ] as const) {
    it(`gives none when the store ${what} after it, and keeps what was merged`, async () => {
      const { loaded, blacklist } = loadFrom(stateOf("first", 10), stateOf(after, 20));

      await expectError("store-invalid", () => loaded);
      expect(blacklist.entries).to.equal(1);
    });
  }

  it("reads nothing from a store without an incarnation", async () => {
    const { loaded, blacklist } = loadFrom(stateOf(null, 0), stateOf(null, 0));

    await expectError("store-invalid", () => loaded);
    expect(blacklist.entries).to.equal(0);
  });
});
