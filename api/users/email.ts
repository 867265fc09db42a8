import { AppError } from "../../shared/errors.ts";

/** One person, one spelling: NFC, without surrounding white space, lower case. */
export function normaliseEmail(email: string): string {
  return email.normalize("NFC").trim().toLowerCase();
}

const maxLength = 254;
const acceptable = /^[^\s@\p{Cc}\p{Cs}\p{Cf}]+@[^\s@\p{Cc}\p{Cs}\p{Cf}]+$/u;

export function isAcceptableEmail(email: string): boolean {
  const normalised = normaliseEmail(email);
  return normalised.length <= maxLength && acceptable.test(normalised);
}

/** The normalised address; throws `validation-failed`. */
export function parseEmail(email: string): string {
  if (isAcceptableEmail(email)) return normaliseEmail(email);
  const detail = `must be an e-mail address of at most ${maxLength} characters`;
  throw new AppError("validation-failed", `email ${detail}.`, { errors: [{ pointer: "/email", detail }] });
}
