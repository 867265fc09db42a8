import { expect } from "chai";
import { describe, it } from "mocha";
import { ConnectionIndex } from "../../../api/blacklist/connection-index.ts";
import { packAdditions } from "../../../shared/revocation/packed-additions.ts";
import {
  createWorld,
  cutOff,
  fingerprint,
  ownIssuer,
  tokenRevocation,
  unrecordedToken,
  uuid,
} from "./world.ts";

describe("connection index", () => {
  const { claims } = createWorld();

  it("finds by a token, by an unrecorded token and by a subject", () => {
    const index = new ConnectionIndex<string>();
    for (const number of [1, 2, 3, 4]) index.add(fingerprint(ownIssuer, uuid(number)), `value ${number}`);
    const found: string[] = [];
    const additions = [
      tokenRevocation(claims({ jti: uuid(1) })),
      unrecordedToken(claims({ jti: uuid(2) }), claims().exp),
      cutOff(claims({ sub: uuid(3) }), { epoch: 1, until: claims().exp }),
    ];
    index.find(packAdditions(additions), (value) => found.push(value));

    expect(found.toSorted()).to.deep.equal(["value 1", "value 2", "value 3"]);
  });

  it("keeps nothing of what was removed", () => {
    const index = new ConnectionIndex<string>();
    const name = fingerprint(ownIssuer, uuid(1));
    index.add(name, "a");
    index.add(name, "b");
    index.remove(name, "a");
    expect(index.size).to.equal(1);

    index.remove(name, "b");
    expect(index.size).to.equal(0);
  });
});
