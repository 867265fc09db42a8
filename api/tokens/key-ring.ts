import type { Clock } from "../../shared/ports/platform.ts";
import { type KeySet, type ListedKey, signingKeyOf } from "./keys.ts";

export type KeyState = "signs" | "verifies" | "retired" | "expired" | "compromised";

export interface KeyChange {
  readonly signing: string | null;
  readonly added: readonly string[];
  readonly retired: readonly string[];
  readonly removed: readonly string[];
  /** Known and good until now. */
  readonly compromised: readonly string[];
}

/** The keys of an instance, which change while it runs. To be asked at each use, never kept. */
export interface KeyRing extends KeySet {
  /** Null when nothing is different. What is known to be compromised stays so, whatever the new set says. */
  replace(keys: KeySet): KeyChange | null;
  /** Null when it was refused before, or is no key of this ring. */
  refuse(thumbprint: string): KeyChange | null;
  stateOf(key: ListedKey): KeyState;
}

export interface KeyRingDeps {
  readonly keys: KeySet;
  readonly clock: Pick<Clock, "wallMs">;
  /** Of the tokens of any instance. */
  readonly longestLifetimeSeconds: () => number;
}

/** The greatest clock error allowed. */
const slackSeconds = 300;

/** `find` and `publicJwks` know no compromised key, and no retired one whose last token must have expired. */
export function createKeyRing({ keys, clock, longestLifetimeSeconds }: KeyRingDeps): KeyRing {
  /** By what they are: a name may be given anew. */
  const compromised = new Set<string>();
  let present = keys;
  let byKid = new Map<string, ListedKey>();

  function index(): void {
    for (const { thumbprint, compromisedAtMs } of present.listed) {
      if (compromisedAtMs !== null) compromised.add(thumbprint);
    }
    byKid = new Map(present.listed.filter((key) => !isCompromised(key)).map((key) => [key.kid, key]));
  }

  const lastTokenMs = () => (longestLifetimeSeconds() + slackSeconds) * 1_000;
  const isCompromised = ({ thumbprint }: ListedKey) => compromised.has(thumbprint);
  const signer = () => present.listed.find((key) => key.retiredAtMs === null && !isCompromised(key));

  function isExpired({ retiredAtMs }: ListedKey): boolean {
    return retiredAtMs !== null && clock.wallMs() >= retiredAtMs + lastTokenMs();
  }

  function changeTo(make: () => void): KeyChange | null {
    const [before, signedBy] = [byKid, signer()?.thumbprint];
    make();
    const signing = signer();
    const gone = [...before.values()].filter((key) => !isSame(key, byKid.get(key.kid)));
    const change: KeyChange = {
      signing: signing?.kid ?? null,
      added: kidsOf([...byKid.values()].filter((key) => !isSame(key, before.get(key.kid)))),
      retired: kidsOf([...byKid.values()].filter((key) => isRetiredSince(key, before.get(key.kid)))),
      removed: kidsOf(gone.filter((key) => !isCompromised(key))),
      compromised: kidsOf(gone.filter(isCompromised)),
    };
    const { added, retired, removed, compromised: refused } = change;
    const hasChanged = [added, retired, removed, refused].some((kids) => kids.length > 0);
    return hasChanged || signing?.thumbprint !== signedBy ? change : null;
  }

  index();
  return {
    get signing() {
      return signingKeyOf(signer());
    },
    get algorithms() {
      return present.algorithms;
    },
    get listed() {
      return present.listed;
    },
    find(kid) {
      const key = byKid.get(kid);
      return key === undefined || isExpired(key) ? undefined : key.verification;
    },
    get publicJwks() {
      const known = [...byKid.values()].filter((key) => !isExpired(key));
      return { keys: known.map(({ publicJwk }) => publicJwk) };
    },
    stateOf(key) {
      if (isCompromised(key)) return "compromised";
      if (isExpired(key)) return "expired";
      if (key.retiredAtMs !== null) return "retired";
      return signer() === key ? "signs" : "verifies";
    },
    replace: (next) =>
      changeTo(() => {
        present = next;
        index();
      }),
    refuse: (thumbprint) =>
      changeTo(() => {
        if (present.listed.some((key) => key.thumbprint === thumbprint)) compromised.add(thumbprint);
        index();
      }),
  };
}

const kidsOf = (keys: readonly ListedKey[]) => keys.map(({ kid }) => kid);

function isSame(key: ListedKey, other: ListedKey | undefined): boolean {
  return other?.thumbprint === key.thumbprint && other.alg === key.alg;
}

function isRetiredSince(key: ListedKey, before: ListedKey | undefined): boolean {
  return isSame(key, before) && key.retiredAtMs !== null && before?.retiredAtMs !== key.retiredAtMs;
}
