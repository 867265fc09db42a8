import { AppError } from "./errors.ts";

/**
 * One declared table per process, from which the types are inferred. All problems are reported in one message,
 * each naming its variable, what was given (secrets redacted) and what is expected.
 */
export interface Setting<T> {
  /** What a value must look like, as it stands in messages and in the README. */
  readonly expected: string;
  /** As it stands in the README; undefined when the setting has none. */
  readonly defaultText: string | undefined;
  readonly description: string;
  readonly isSecret: boolean;
  /** The value for the given text (undefined: not set); throws `TypeError` when it is not acceptable. */
  parse(text: string | undefined): T;
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;
export type SettingsOf<T extends SettingsTable> = { readonly [K in keyof T]: ReturnType<T[K]["parse"]> };

/** A sentence that must hold across settings; returns it when it does not. */
export type CrossFieldRule<S> = (settings: S) => string | null;

interface Options<T> {
  readonly description: string;
  readonly default?: T;
  readonly isSecret?: boolean;
}

class NotAcceptable extends TypeError {}

function create<T>(
  expected: string,
  options: Options<T>,
  parseGiven: (text: string) => T | undefined,
): Setting<T> {
  const fallback = options.default;
  return {
    expected,
    defaultText: fallback === undefined ? undefined : String(fallback),
    description: options.description,
    isSecret: options.isSecret ?? false,
    parse(text) {
      if (text === undefined || text === "") {
        if (fallback !== undefined) return fallback;
        throw new NotAcceptable("is not set");
      }
      const value = parseGiven(text);
      if (value === undefined)
        throw new NotAcceptable(`is ${options.isSecret ? "[redacted]" : JSON.stringify(text)}`);
      return value;
    },
  };
}

export function integer(range: { min: number; max: number }, options: Options<number>): Setting<number> {
  return create(`a whole number from ${range.min} to ${range.max}`, options, (text) => {
    if (!/^-?\d{1,15}$/.test(text)) return undefined;
    const value = Number(text);
    return value >= range.min && value <= range.max ? value : undefined;
  });
}

export function text(
  expected: string,
  options: Options<string> & { pattern?: Pick<RegExp, "test"> },
): Setting<string> {
  return create(expected, options, (given) =>
    (options.pattern ?? /^.+$/su).test(given) ? given : undefined,
  );
}

export function choice<const C extends string>(choices: readonly C[], options: Options<C>): Setting<C> {
  return create(`one of ${choices.join(", ")}`, options, (given) => choices.find((c) => c === given));
}

export function toggle(options: Options<boolean>): Setting<boolean> {
  return create("true or false", options, (given) => ({ true: true, false: false })[given]);
}

export function url(protocols: readonly string[], options: Options<string>): Setting<string> {
  return create(`a URL that starts with ${protocols.map((p) => `${p}//`).join(" or ")}`, options, (given) =>
    hasProtocol(withFirstHost(given), protocols) ? given : undefined,
  );
}

function hasProtocol(given: string, protocols: readonly string[]): boolean {
  return URL.canParse(given) && protocols.includes(new URL(given).protocol);
}

/** A seed list, `mongodb://a:27017,b:27017/`, is no URL for the parser, which takes one host. */
function withFirstHost(given: string): string {
  return given.replace(/^(mongodb:\/\/(?:[^@/?#]*@)?[^,/?#]*),[^/?#]*/, "$1");
}

/** `host:port`, several separated by commas. */
export function brokers(options: Options<readonly string[]>): Setting<readonly string[]> {
  return create("host:port, several separated by commas", options, (given) => {
    const list = given.split(",").map((broker) => broker.trim());
    return list.every(isHostAndPort) ? list : undefined;
  });
}

function isHostAndPort(text: string): boolean {
  const port = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text)?.[1];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

/** May be left out; then `undefined`. */
export function optional<T>(setting: Setting<T>): Setting<T | undefined> {
  return {
    ...setting,
    parse: (given) => (given === undefined || given === "" ? undefined : setting.parse(given)),
  };
}

export interface SettingsSource {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a `<NAME>_FILE`; throws when it cannot be read. */
  readFile(path: string): string;
}

/** Throws `config-invalid`; its message has one line for each problem. */
export function readSettings<T extends SettingsTable>(
  table: T,
  source: SettingsSource,
  rules: readonly CrossFieldRule<SettingsOf<T>>[] = [],
): SettingsOf<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    try {
      values[name] = setting.parse(givenText(name, setting, source));
    } catch (error) {
      if (!(error instanceof NotAcceptable)) throw error;
      problems.push(`${name} ${error.message}; expected ${setting.expected}: ${setting.description}`);
    }
  }
  const settings = values as SettingsOf<T>;
  if (problems.length === 0) problems.push(...rules.flatMap((rule) => rule(settings) ?? []));
  if (problems.length > 0) throw new AppError("config-invalid", problems.map((p) => `- ${p}`).join("\n"));
  return settings;
}

function givenText(name: string, setting: Setting<unknown>, source: SettingsSource): string | undefined {
  const path = setting.isSecret ? source.environment[`${name}_FILE`] : undefined;
  const given = source.environment[name];
  if (path === undefined || path === "") return given;
  if (given !== undefined && given !== "") throw new NotAcceptable(`and ${name}_FILE are both set`);
  try {
    return source.readFile(path).replace(/\r?\n$/, "");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new NotAcceptable(`cannot be read from ${name}_FILE (${JSON.stringify(path)}: ${why})`, { cause });
  }
}

/** Exit code of a process whose settings are not valid (sysexits.h: EX_CONFIG). */
const configInvalidExitCode = 78;

/** Runs `configure`; says what is wrong with the settings on stderr, and sets the exit code, if anything is. */
export async function orReportInvalid<T>(
  process: NodeJS.Process,
  configure: () => Promise<T>,
): Promise<T | null> {
  try {
    return await configure();
  } catch (error) {
    if (!reportIfInvalid(process, error)) throw error;
    return null;
  }
}

/** Of a fault of the settings, which may show only once the process runs: tells it and sets the exit code. */
export function reportIfInvalid(process: NodeJS.Process, error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== "config-invalid") return false;
  process.stderr.write(`The settings are not valid:\n${error.message}\n`);
  process.exitCode = configInvalidExitCode;
  return true;
}
