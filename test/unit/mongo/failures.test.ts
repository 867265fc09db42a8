import { expect } from "chai";
import { describe, it } from "mocha";
import mongoose from "mongoose";
import { AppError } from "../../../shared/errors.ts";
import {
  asAppError,
  isDuplicateKey,
  repeatIfDuplicate,
  violatedIndex,
} from "../../../shared/mongo/failures.ts";

const { MongoInvalidArgumentError, MongoNetworkError, MongoServerError } = mongoose.mongo;
const duplicate = () =>
  new MongoServerError({
    code: 11000,
    message:
      'E11000 duplicate key error collection: quash.users index: email_unique dup key: { a: "index: b" }',
  });
const busy = () => new MongoServerError({ code: 91, message: "shutting down" });

describe("failures of MongoDB", () => {
  const ofTheServer: readonly [string, Error][] = [
    ["a broken connection", new MongoNetworkError("reset")],
    ["a refusal of the server", busy()],
    ["a name that does not resolve", Object.assign(new Error("ENOTFOUND"), { syscall: "querySrv" })],
  ];
  for (const [what, error] of ofTheServer) {
    it(`turns ${what} into an error that may be retried, with its cause`, () => {
      const mapped = asAppError(error);
      expect(mapped).to.be.instanceOf(AppError);
      expect(mapped).to.include({ code: "dependency-unavailable", cause: error });
    });
  }

  const ofOurs: readonly [string, unknown][] = [
    ["a mistake in the code", new TypeError("undefined is not a function")],
    ["an argument that the driver refuses", new MongoInvalidArgumentError("no")],
    ["a value that does not fit its field", new mongoose.Error.CastError("String", {}, "email")],
    ["an error that has its code already", new AppError("email-taken", "Choose another.")],
  ];
  for (const [what, error] of ofOurs) {
    it(`leaves ${what} as it is`, () => {
      expect(asAppError(error)).to.equal(error);
    });
  }

  it("names the index that refused a key, whatever the key says", () => {
    expect(isDuplicateKey(duplicate())).to.equal(true);
    expect(isDuplicateKey(busy())).to.equal(false);
    expect(violatedIndex(duplicate())).to.equal("email_unique");
  });

  it("makes an upsert again when another one came first, once", async () => {
    const outcomes: (Error | null)[] = [duplicate(), null];
    const upsert = () => {
      const error = outcomes.shift();
      return error ? Promise.reject(error) : Promise.resolve("written");
    };
    expect(await repeatIfDuplicate(upsert)).to.equal("written");
    expect(outcomes).to.deep.equal([]);
  });

  it("does not make an upsert again after another error", async () => {
    let attempts = 0;
    const outcome = await repeatIfDuplicate(() => {
      attempts += 1;
      return Promise.reject(busy());
    }).then(
      () => "written",
      () => "refused",
    );
    expect([outcome, attempts]).to.deep.equal(["refused", 1]);
  });
});
