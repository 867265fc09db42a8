import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  cameLate,
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

describe("cameLate", () => {
  const kills: readonly UserChange[] = [
    "user.deactivated",
    "user.deleted",
    "user.signed-out",
    "credentials.changed",
  ];

  for (const change of kills) {
    it(`tells of a ${change} that is older than what is in force`, () => {
      const state = { ...active, statusChangedAtMs: 2_000 };
      expect(cameLate(state, change, 1_999)).to.equal(true);
    });
  }

  it("takes a tie for the event itself, which is delivered again", () => {
    const deactivated = changeFromUpstream(active, "user.deactivated", 5_000) ?? active;
    expect(cameLate(deactivated, "user.deactivated", 5_000)).to.equal(false);
    const signedOut = changeFromUpstream(active, "user.signed-out", 5_000) ?? active;
    expect(cameLate(signedOut, "user.signed-out", 5_000)).to.equal(false);
  });

  it("takes no reactivation for a raise of the epoch", () => {
    const reactivated = changeFromUpstream(active, "user.reactivated", 5_000) ?? active;
    expect(changeFromUpstream(reactivated, "user.signed-out", 5_000)).to.equal(null);
    expect(cameLate(reactivated, "user.signed-out", 5_000)).to.equal(true);
  });

  it("is never true of a reactivation", () => {
    expect(cameLate(active, "user.reactivated", 1)).to.equal(false);
  });

  it("leaves no older token alive without telling, whatever came before", () => {
    const step = fc.record({
      change: fc.option(fc.constantFrom<UserChange>(...kills, "user.reactivated")),
      ago: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let state: UserState = { status: "active", epoch: 0, statusChangedAtMs: -1, epochRaisedAtMs: -1 };
        const tokens: { epoch: number; issuedAtMs: number }[] = [];
        for (const [index, { change, ago }] of steps.entries()) {
          // Tokens at odd times, events at even ones.
          if (change === null) {
            if (state.status === "active") tokens.push({ epoch: state.epoch, issuedAtMs: 2 * index + 1 });
            continue;
          }
          const atMs = 2 * Math.max(0, index - ago);
          state = changeFromUpstream(state, change, atMs) ?? state;
          if (change === "user.reactivated" || cameLate(state, change, atMs)) continue;
          const { epoch } = state;
          expect(tokens.filter((token) => token.issuedAtMs < atMs && token.epoch >= epoch)).to.deep.equal([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
