import { createServer } from "node:http";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { listen } from "../../shared/listen.ts";
import { createAsker } from "./refusal.ts";

describe("the asker of the load test", () => {
  const asker = createAsker();
  let left: number[] = [];
  const server = createServer((_request, response) => response.writeHead(left.shift() ?? 500).end());
  beforeEach(() => listen(server, "127.0.0.1", 0));
  afterEach(async () => {
    await asker.close();
    server.close();
  });

  it("takes an entry's refusals for everybody's once there are enough in a row", async () => {
    left = [200, 401, 401, 200, 401, 401, 401, 200];
    const address = server.address();
    const port = typeof address === "object" ? address?.port : "";
    await asker.untilRefused(`http://127.0.0.1:${port}`, "token", 3);
    expect(left).to.deep.equal([200]);
  });
});
