import { expect } from "chai";
import { describe, it } from "mocha";
import { type HeldToken, History, type Killer } from "../../simulation/history.ts";
import { isInnocent, mustDie } from "../../simulation/model.ts";

const token = (changed: Partial<HeldToken> = {}): HeldToken => ({
  jti: "j1",
  user: "u1",
  sid: "s1",
  accessToken: "",
  signInSentAtMs: 100,
  signedInAtMs: 110,
  receivedAtMs: 110,
  issuedAtMs: 105,
  expiresAtMs: 60_000,
  ...changed,
});
const killer = (changed: Partial<Killer> = {}): Killer => ({
  user: "u1",
  by: { kind: "deactivation" },
  sentAtMs: 200,
  ackAtMs: 210,
  eventId: "e1",
  ...changed,
});

function historyOf(...killers: Killer[]): History {
  const history = new History();
  history.killers.push(...killers);
  return history;
}

describe("simulation: model", () => {
  it("wants a token dead that its client held before the deactivation was asked for", () => {
    expect(mustDie(token(), killer(), historyOf())).to.equal(true);
    expect(mustDie(token(), killer({ user: "u2" }), historyOf())).to.equal(false);
  });

  it("wants nothing of what was refused, or never answered", () => {
    for (const ackAtMs of [Infinity, null]) {
      expect(mustDie(token(), killer({ ackAtMs }), historyOf())).to.equal(false);
    }
  });

  it("wants a token dead whose sign-in raced the deactivation, unless the user came back", () => {
    const racing = token({ signInSentAtMs: 205, signedInAtMs: 300, receivedAtMs: 300 });
    expect(mustDie(racing, killer(), historyOf())).to.equal(true);
    const history = historyOf();
    history.reactivations.push({ user: "u1", sentAtMs: 250, ackAtMs: Infinity, eventId: null });
    expect(mustDie(racing, killer(), history)).to.equal(false);
  });

  it("does not take for the user's return what was over before the deactivation", () => {
    const racing = token({ signInSentAtMs: 205, signedInAtMs: 300, receivedAtMs: 300 });
    const history = historyOf(killer());
    history.reactivations.push({ user: "u1", sentAtMs: 150, ackAtMs: 160, eventId: null });
    expect(mustDie(racing, killer(), history)).to.equal(true);
    history.reactivations.push({ user: "u1", sentAtMs: 150, ackAtMs: Infinity, eventId: "e2" });
    expect(mustDie(racing, killer(), history)).to.equal(false);
    history.appliedAtMs.set("e2", 170);
    expect(mustDie(racing, killer(), history)).to.equal(true);
  });

  it("wants a refreshed token dead whose session was there before, and one that an ended session got", () => {
    const refreshed = token({ receivedAtMs: 300 });
    expect(mustDie(refreshed, killer({ by: { kind: "sign-out" } }), historyOf())).to.equal(true);
    expect(mustDie(refreshed, killer({ by: { kind: "session", sid: "s1" } }), historyOf())).to.equal(true);
  });

  it("wants nothing of an event that means nobody any more", () => {
    const history = historyOf();
    history.ofNobody.add("e1");
    const upstream = killer({ by: { kind: "upstream", effectiveAtMs: 150 } });
    expect(mustDie(token(), upstream, historyOf())).to.equal(true);
    expect(mustDie(token(), upstream, history)).to.equal(false);
  });

  it("takes a token for innocent that was asked for after everything that could mean it", () => {
    const after = token({ signInSentAtMs: 220, receivedAtMs: 230 });
    expect(isInnocent(after, historyOf(killer()))).to.equal(true);
    expect(isInnocent(after, historyOf(killer({ ackAtMs: null })))).to.equal(false);
    expect(isInnocent(token(), historyOf(killer()))).to.equal(false);
  });

  it("takes a token for innocent of an upstream event only if that was handled before, and is older", () => {
    const upstream = killer({ by: { kind: "upstream", effectiveAtMs: 90 } });
    const history = historyOf(upstream);
    expect(isInnocent(token(), history)).to.equal(false);
    history.appliedAtMs.set("e1", 95);
    expect(isInnocent(token(), history)).to.equal(true);
    expect(isInnocent(token({ issuedAtMs: 90 }), history)).to.equal(false);
  });

  it("wants a session's tokens dead, and those of no other session", () => {
    const ended = killer({ by: { kind: "session", sid: "s1" } });
    expect(mustDie(token(), ended, historyOf())).to.equal(true);
    expect(mustDie(token({ sid: "s2" }), ended, historyOf())).to.equal(false);
    expect(isInnocent(token({ sid: "s2" }), historyOf(ended))).to.equal(true);
  });
});
