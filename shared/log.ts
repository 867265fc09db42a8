import { type DestinationStream, pino } from "pino";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * ERROR: a person must act. WARN: healed itself, but count it. INFO: lifecycle and security decisions. DEBUG: the
 * rest. `event` is a name such as `revocation.applied`; an error goes into the field `err`.
 */
export interface Log {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** The process: `api`, `worker`, `embedded`. */
  readonly name: string;
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
  /** Standard output takes no more, and standard error has the lines from now on. Called once. */
  readonly onLost?: (error: Error) => void;
}

/** What must never be written, whoever passes it. */
const redacted = [
  "password",
  "token",
  "access_token",
  "refresh_token",
  "authorization",
  "*.password",
  "*.token",
  "*.access_token",
  "*.refresh_token",
  "*.authorization",
];

export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level,
      base: { process: options.name },
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: redacted, censor: "[redacted]" },
    },
    options.destination ?? createOutput(options.onLost),
  );
  return wrap(logger);
}

/** A write that fails throws nothing at whoever logs: it may be in the middle of anything. */
function createOutput(onLost: (error: Error) => void = () => undefined): DestinationStream {
  const output = pino.destination({ fd: 1, sync: true });
  let target = output;
  output.on("error", (error: Error) => {
    if (target !== output) return;
    target = pino.destination({ fd: 2, sync: true });
    target.on("error", () => undefined); // there is nobody left to tell
    queueMicrotask(() => onLost(error));
  });
  return {
    write(line) {
      const first = target;
      first.write(line);
      if (target !== first) target.write(line);
    },
  };
}

const deepestCause = 5;

/**
 * Named members only: libraries hang whole commands onto their errors, with the password in them.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? error : typeof error;
  const code = "code" in error ? String(error.code) : undefined;
  const causes =
    error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause];
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    stack: error.stack,
    ...(causes.length > 0 && depth < deepestCause
      ? { causes: causes.map((cause: unknown) => describeError(cause, depth + 1)) }
      : {}),
  };
}

type PinoLogger = pino.Logger;

function wrap(logger: PinoLogger): Log {
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
    child: (fields) => wrap(logger.child(fields)),
  };
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
