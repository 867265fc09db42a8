import { expect } from "chai";
import { describe, it } from "mocha";
import { createPlan, type Plan } from "../../simulation/plan.ts";
import { shrink } from "../../simulation/shrink.ts";

const drawsOf = ({ items }: Plan) => items.map(({ draw }) => draw);

describe("simulation: shrink", () => {
  it("leaves the items that the failure needs, and no others", async () => {
    const plan = createPlan(1);
    const needed = [plan.items[3]?.draw, plan.items[40]?.draw];
    const { plan: shrunk } = await shrink(plan, async (smaller) =>
      needed.every((draw) => drawsOf(smaller).includes(draw ?? "")),
    );
    expect(drawsOf(shrunk)).to.deep.equal(needed);
  });

  it("ends after so many runs", async () => {
    const { runs } = await shrink(createPlan(1), async () => false, 10);
    expect(runs).to.equal(10);
  });
});

describe("simulation: plan", () => {
  it("is the same for the same seed", () => {
    expect(createPlan(5)).to.deep.equal(createPlan(5));
    expect(createPlan(6)).to.not.deep.equal(createPlan(5));
  });
});
