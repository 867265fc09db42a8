import { AppError } from "../../shared/errors.ts";

/**
 * One person, one spelling: NFC, without surrounding white space, lower case. Normalised last, since some capitals have
 * a composed form that their small letters lack, or the other way round. Letters that only look alike stay different ones.
 */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase().normalize("NFC");
}

export const maxAddressLength = 254;
/** Nothing invisible: no controls, surrogates, formats, private and ignorable characters, none that is none. */
const acceptable =
  /^[^\s@\p{Cc}\p{Cs}\p{Cf}\p{Co}\p{DI}\p{NChar}]+@[^\s@\p{Cc}\p{Cs}\p{Cf}\p{Co}\p{DI}\p{NChar}]+$/u;

/** What `isAcceptableEmail` asks for. */
export const emailRule = `must be an e-mail address of at most ${maxAddressLength} characters`;

/** Of \p{C}: the formats, the private and the ignorable, which some readers do not count to it. */
const invisible =
  "\\u00ad\\u0600-\\u0605\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ue000-\\uf8ff\\ufdd0-\\ufdef\\ufeff\\ufff0-\\ufffb\\ufffe\\uffff\u{e0000}-\u{10ffff}";
const described = `[^\\s@\\p{C}\\p{M}\\u115f\\u1160\\u3164\\uffa0${invisible}]+`;
/** The same for JSON Schema: no readers know more classes of characters than these. */
export const addressPattern = `^${described}@${described}$`;

export function isAcceptableEmail(email: string): boolean {
  const normalised = normaliseEmail(email);
  return normalised.length <= maxAddressLength && acceptable.test(normalised);
}

/** The normalised address; throws `validation-failed`. */
export function parseEmail(email: string): string {
  if (isAcceptableEmail(email)) return normaliseEmail(email);
  throw new AppError("validation-failed", `email ${emailRule}.`, {
    errors: [{ pointer: "/email", detail: emailRule }],
  });
}
