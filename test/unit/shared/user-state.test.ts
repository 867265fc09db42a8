import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  changeFromUpstream,
  changeOfOurs,
  type UserChange,
  type UserState,
} from "../../../shared/revocation/user-state.ts";

const active: UserState = { status: "active", epoch: 3, statusChangedAtMs: 1_000, epochRaisedAtMs: 2_000 };

describe("changeOfOurs", () => {
  it("raises the epoch at a deactivation and moves both times past what they were", () => {
    expect(changeOfOurs(active, "user.deactivated", 500)).to.deep.equal({
      status: "deactivated",
      epoch: 4,
      statusChangedAtMs: 2_001,
      epochRaisedAtMs: 2_001,
    });
  });

  it("changes nothing when the user is deactivated already", () => {
    expect(changeOfOurs({ ...active, status: "deactivated" }, "user.deactivated", 9_000)).to.equal(null);
  });

  it("keeps the epoch at a reactivation", () => {
    expect(changeOfOurs({ ...active, status: "deactivated" }, "user.reactivated", 9_000)?.epoch).to.equal(3);
  });

  it("raises only the epoch at a sign-out", () => {
    expect(changeOfOurs(active, "user.signed-out", 9_000)).to.deep.equal({
      ...active,
      epoch: 4,
      epochRaisedAtMs: 9_000,
    });
  });

  it("never revives a deleted user", () => {
    expect(changeOfOurs({ ...active, status: "deleted" }, "user.reactivated", 9_000)).to.equal(null);
  });
});

describe("changeFromUpstream", () => {
  it("ignores a status that is older than the last change of status", () => {
    expect(changeFromUpstream(active, "user.deactivated", 999)).to.equal(null);
  });

  it("lets the stricter state win at a tie", () => {
    expect(changeFromUpstream(active, "user.deactivated", 1_000)?.status).to.equal("deactivated");
    expect(changeFromUpstream({ ...active, status: "deactivated" }, "user.reactivated", 1_000)).to.equal(
      null,
    );
  });

  it("raises no epoch for a sign-out at or before the last raise", () => {
    expect(changeFromUpstream(active, "user.signed-out", 2_000)).to.equal(null);
    expect(changeFromUpstream(active, "user.signed-out", 2_001)?.epoch).to.equal(4);
  });

  it("changes nothing when it is applied twice", () => {
    const changes: UserChange[] = [
      "user.deactivated",
      "user.reactivated",
      "user.deleted",
      "user.signed-out",
      "credentials.changed",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...changes), fc.integer({ min: 0, max: 5_000 }), (change, atMs) => {
        const once = changeFromUpstream(active, change, atMs);
        return once === null || changeFromUpstream(once, change, atMs) === null;
      }),
    );
  });

  it("ends in the same status whatever the order of arrival", () => {
    const event = fc.record({
      change: fc.constantFrom<UserChange>("user.deactivated", "user.reactivated"),
      atMs: fc.integer({ min: 0, max: 20 }),
    });
    const start: UserState = { status: "active", epoch: 0, statusChangedAtMs: -1, epochRaisedAtMs: -1 };
    const endOf = (events: readonly { change: UserChange; atMs: number }[]) =>
      events.reduce((state, { change, atMs }) => changeFromUpstream(state, change, atMs) ?? state, start)
        .status;
    fc.assert(
      fc.property(
        fc
          .array(event, { maxLength: 8 })
          .chain((events) =>
            fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
          ),
        ([events, shuffled]) => {
          expect(endOf(shuffled)).to.equal(endOf(events));
        },
      ),
    );
  });

  it("never lowers the epoch or a time", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<UserChange>("user.deactivated", "user.deleted", "user.signed-out"),
        fc.nat(9_000),
        (change, atMs) => {
          const next = changeFromUpstream(active, change, atMs) ?? active;
          expect(next.epoch).to.be.at.least(active.epoch);
          expect(next.statusChangedAtMs).to.be.at.least(active.statusChangedAtMs);
          expect(next.epochRaisedAtMs).to.be.at.least(active.epochRaisedAtMs);
        },
      ),
    );
  });
});
