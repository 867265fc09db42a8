import { expect } from "chai";
import { describe, it } from "mocha";
import { createApplyEvent } from "../../workers/revoker/apply-event.ts";
import { receiveEvent } from "../../workers/revoker/received-event.ts";
import { createWorkerWorld, intercept, namespace } from "../support/worker-world.ts";

const tokenCount = 100_001;
const markStep = 400;
const addStep = 400;

describe("revoker: a user with more than 100,000 live tokens", () => {
  it("is revoked in bounded steps, each of them with a heartbeat", async function () {
    this.timeout(60_000);
    const world = await createWorkerWorld();
    await world.start();
    await world.close();
    const user = await world.addUser();
    for (let n = 0; n < tokenCount; n += 1) await world.addToken(user.id);
    await world.platform.advance(1_000);
    let stepsSinceHeartbeat = 0;
    const [most, sizes] = [{ steps: 0 }, { mark: 0, add: 0 }];
    const count = () => {
      stepsSinceHeartbeat += 1;
      most.steps = Math.max(most.steps, stepsSinceHeartbeat);
    };
    const ledger = intercept(world.database.ledger, "markTokens", (_event, _selection, limit) => {
      sizes.mark = Math.max(sizes.mark, Number(limit));
      count();
    });
    const store = intercept(world.store, "add", (additions) => {
      sizes.add = Math.max(sizes.add, Array.isArray(additions) ? additions.length : Infinity);
      count();
    });
    const { applyEvent } = createApplyEvent({ ...world.applyDeps, ledger, store });
    const event = world.event("user.deactivated", { subject: user.id });
    await applyEvent(receiveEvent(event, { namespace }), {
      heartbeat: async () => {
        stepsSinceHeartbeat = 0;
      },
    });

    expect(sizes).to.deep.equal({ mark: markStep, add: addStep });
    expect(most.steps).to.be.at.most(3);
    expect(await world.rowOf(event)).to.include({ epoch: 1, tokensRevoked: tokenCount });
    const revoked = (await world.contents()).filter(({ kind }) => kind === "token");
    expect(revoked).to.have.lengthOf(tokenCount);
    expect(await world.cutOffOf(user.id)).to.include({ epoch: 1 });
  });
});
