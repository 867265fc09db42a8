import { AppError } from "../../shared/errors.ts";

/** One person, one spelling: NFC, without surrounding white space, lower case. */
export function normaliseEmail(email: string): string {
  return email.normalize("NFC").trim().toLowerCase();
}

export const maxAddressLength = 254;
const acceptable = /^[^\s@\p{Cc}\p{Cs}\p{Cf}]+@[^\s@\p{Cc}\p{Cs}\p{Cf}]+$/u;

/** The same for JSON Schema: no readers know more classes of characters than these. */
export const addressPattern = "^[^\\s@\\p{C}]+@[^\\s@\\p{C}]+$";

export function isAcceptableEmail(email: string): boolean {
  const normalised = normaliseEmail(email);
  return normalised.length <= maxAddressLength && acceptable.test(normalised);
}

/** The normalised address; throws `validation-failed`. */
export function parseEmail(email: string): string {
  if (isAcceptableEmail(email)) return normaliseEmail(email);
  const detail = `must be an e-mail address of at most ${maxAddressLength} characters`;
  throw new AppError("validation-failed", `email ${detail}.`, { errors: [{ pointer: "/email", detail }] });
}
