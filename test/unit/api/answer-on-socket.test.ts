import { Duplex } from "node:stream";
import { expect } from "chai";
import { describe, it } from "mocha";
import { answerOnSocket } from "../../../api/answer-on-socket.ts";
import { AppError } from "../../../shared/errors.ts";
import { createPlatform } from "../../../shared/platform.ts";

/** Its client reads nothing, so that no byte of the answer leaves. */
function answerToNobody(): Duplex {
  const socket = new Duplex({ read: () => undefined, write: () => undefined });
  answerOnSocket(socket, new AppError("method-not-allowed", "Not here."), createPlatform().ids);
  return socket;
}

describe("answerOnSocket", () => {
  it("gives the connection up once it was silent for too long", () => {
    const socket = answerToNobody();
    expect(socket.destroyed).to.equal(false);
    socket.emit("timeout");
    expect(socket.destroyed).to.equal(true);
  });

  it("takes every error of the connection as its end", () => {
    const socket = answerToNobody();
    for (const code of ["ECONNRESET", "EPIPE"]) socket.emit("error", new Error(code));
    expect(socket.destroyed).to.equal(true);
  });
});
