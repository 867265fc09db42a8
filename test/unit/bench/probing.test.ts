import { createServer } from "node:http";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { startProbing } from "../../bench/probing.ts";
import { eventually } from "../../support/eventually.ts";

describe("probing", () => {
  /** The statuses of the next answers; 200 once they are used up. */
  let next: number[] = [];
  let answered = 0;
  const server = createServer((_, response) => {
    answered += 1;
    response.writeHead(next.shift() ?? 200).end();
  });
  afterEach(() => server.close());

  it("counts what was answered and refused, and how long the longest refusal lasted", async () => {
    const url = await new Promise<string>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${portOf(server.address())}`));
    });
    next = [200, 503, 200, 503, 503, 503, 503, 200];
    const probing = startProbing([url], "any");
    await eventually(() => expect(answered).to.be.above(8));
    const result = await probing.stop();
    expect(result).to.include({ refused: 5, answered: answered - 5 });
    // Four refusals and the answer behind them: four pauses of 20 ms, of which timers may take a little off.
    expect(result.longest_refusal_ms).to.be.within(76, 2_000);
  });
});

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}
