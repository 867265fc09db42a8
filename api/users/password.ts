import { AppError } from "../../shared/errors.ts";

export const minPasswordBytes = 8;
/** A bound on what hashing costs, far above what anybody types. */
export const maxPasswordBytes = 1024;

const controlOrLoneSurrogate = /[\p{Cc}\p{Cs}]/u;

/** No rules of composition. */
export function isAcceptablePassword(password: string): boolean {
  const bytes = Buffer.byteLength(password, "utf8");
  return bytes >= minPasswordBytes && bytes <= maxPasswordBytes && !controlOrLoneSurrogate.test(password);
}

/** Throws `validation-failed`, without the password. */
export function checkPassword(password: string): void {
  if (isAcceptablePassword(password)) return;
  const detail = `must have ${minPasswordBytes} to ${maxPasswordBytes} bytes in UTF-8 and no control characters`;
  throw new AppError("validation-failed", `password ${detail}.`, {
    errors: [{ pointer: "/password", detail }],
  });
}

/** Whether it could be anybody's: what is too long is not hashed at all. */
export function isHashable(password: string): boolean {
  return Buffer.byteLength(password, "utf8") <= maxPasswordBytes;
}
