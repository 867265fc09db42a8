import { expect } from "chai";
import { describe, it } from "mocha";
import { createGates } from "../../../api/abuse/gates.ts";
import { expectError } from "../../support/expect-error.ts";

describe("gates", () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("let as many in as there is room for, and ask again when one leaves", async () => {
    const gates = createGates();
    let room = 2;
    const inside: (() => void)[] = [];
    const enter = () => gates.enter("a", () => Promise.resolve(room)).then((leave) => inside.push(leave));
    const entering = [enter(), enter(), enter(), enter()];
    await turn();
    expect(inside).to.have.length(2);
    inside[0]?.();
    await turn();
    expect(inside).to.have.length(3);
    room = 3;
    inside[1]?.();
    await Promise.all(entering);
    expect(inside).to.have.length(4);
  });

  it("hold up nobody at a gate of another name", async () => {
    const gates = createGates();
    const one = () => Promise.resolve(1);
    await gates.enter("a", one);
    expect(await gates.enter("b", one)).to.be.a("function");
  });

  it("tell those who wait when there is no room any more", async () => {
    const gates = createGates();
    let isUsedUp = false;
    const room = () => (isUsedUp ? Promise.reject(new Error("used up")) : Promise.resolve(1));
    const leave = await gates.enter("a", room);
    const waiting = [1, 2].map(() => gates.enter("a", room).catch(String));
    await turn();
    isUsedUp = true;
    leave();
    expect(await Promise.all(waiting)).to.deep.equal(["Error: used up", "Error: used up"]);
  });

  it("send away whom there is no room to wait for", async () => {
    const gates = createGates();
    const one = () => Promise.resolve(1);
    const leave = await gates.enter("a", one);
    const waiting = Array.from({ length: 256 }, () => gates.enter("a", one).then((out) => out()));
    await turn();
    await expectError("too-busy", () => gates.enter("a", one));
    leave();
    await Promise.all(waiting);
    expect(await gates.enter("a", one)).to.be.a("function");
  });
});
