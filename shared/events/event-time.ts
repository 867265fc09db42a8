const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

const earliestMs = Date.UTC(2000, 0, 1);
const aheadAllowedMs = 24 * 60 * 60 * 1000;

/**
 * Milliseconds of an RFC 3339 date-time; null if it is none. A time that names only its second stands for the end of
 * that second: whatever happened within it is meant too. A leap second (RFC 3339 §5.6) counts as the end of the
 * second before.
 */
export function parseEventTime(text: string): number | null {
  const match = rfc3339.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHours, offsetMinutes] = match;
  const isLeapSecond = second === "60";
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, isLeapSecond ? "59" : second].map(Number);
  const [oh, om] = [Number(offsetHours ?? 0), Number(offsetMinutes ?? 0)];
  if (y === undefined || mo === undefined || d === undefined) return null;
  if (h === undefined || mi === undefined || s === undefined) return null;
  if (h > 23 || mi > 59 || s > 59 || oh > 23 || om > 59 || !isDay(y, mo, d)) return null;
  const milliseconds =
    isLeapSecond || fraction === undefined ? 999 : Number(fraction.slice(0, 3).padEnd(3, "0"));
  const offsetMs = (sign === "-" ? -1 : 1) * (oh * 60 + om) * 60_000;
  const midnight = new Date(0).setUTCFullYear(y, mo - 1, d);
  return midnight + ((h * 60 + mi) * 60 + s) * 1000 + milliseconds - offsetMs;
}

/** Why the time cannot be that of an event appended at `appendedAtMs`; null if it can. */
export function faultOfEventTime(timeMs: number, appendedAtMs: number): string | null {
  if (timeMs < earliestMs) return "time lies before the year 2000";
  if (timeMs > appendedAtMs + aheadAllowedMs)
    return "time lies more than a day after the record was appended";
  return null;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(new Date(0).setUTCFullYear(year, month, 0)).getUTCDate();
}
