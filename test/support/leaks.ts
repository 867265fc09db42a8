/** What a process lets out, and the secrets that must not be in it. */
export interface Leaks {
  /** Of more than 15 characters, so that it stands nowhere by chance. */
  keep(name: string, secret: string): void;
  note(where: string, text: string): void;
  /** `secret in where`, for each secret that came out in whatever form. */
  readonly found: readonly string[];
  readonly size: number;
}

const shortest = 16;

export function createLeaks(): Leaks {
  const secrets = new Map<string, string>();
  const noted: { readonly where: string; readonly text: string }[] = [];
  return {
    keep(name, secret) {
      if (secret.length < shortest) throw new RangeError(`${name} is too short to be looked for`);
      secrets.set(secret, name);
    },
    note: (where, text) => void noted.push({ where, text }),
    get found() {
      const forms = [...secrets].flatMap(([secret, name]) => formsOf(secret).map((form) => ({ name, form })));
      return noted.flatMap(({ where, text }) =>
        forms.filter(({ form }) => text.includes(form)).map(({ name }) => `${name} in ${where}`),
      );
    },
    get size() {
      return noted.length;
    },
  };
}

/** Itself, each part of a token, and what a URL or an encoding makes of it. */
function formsOf(secret: string): string[] {
  const parts = [secret, ...secret.split(".").filter((part) => part.length >= shortest)];
  const bytes = Buffer.from(secret);
  const encoded = [bytes.toString("base64url"), bytes.toString("base64"), bytes.toString("hex")];
  return [
    ...new Set([...parts, ...encoded, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]),
  ];
}
