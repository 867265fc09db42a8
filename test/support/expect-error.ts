import { expect } from "chai";
import { AppError, type ErrorCode } from "../../shared/errors.ts";

/** The `AppError` that `act` throws or rejects with; fails when there is none, or another code. */
export async function expectError(code: ErrorCode, act: () => unknown): Promise<AppError> {
  let outcome: unknown;
  try {
    outcome = { returned: await act() };
  } catch (error) {
    outcome = error;
  }
  if (!(outcome instanceof AppError)) throw new Error(`expected ${code}`, { cause: outcome });
  expect(outcome.code, outcome.message).to.equal(code);
  return outcome;
}
