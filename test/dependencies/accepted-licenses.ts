/** Those that ask for no more than their notice: what uses Quash is bound by nothing else. */
const accepted = new Set([
  "MIT",
  "Apache-2.0",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "Zlib",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
]);

/** An SPDX expression of AND, OR and brackets: one choice of an OR is enough, every part of an AND must do. */
export function isAcceptedLicense(expression: string | undefined): boolean {
  if (expression === undefined) return false;
  const inner = /^\((.*)\)$/.exec(expression.trim())?.[1] ?? expression.trim();
  const choices = inner.split(" OR ");
  if (choices.length > 1) return choices.some(isAcceptedLicense);
  return inner.split(" AND ").every((license) => accepted.has(license));
}
