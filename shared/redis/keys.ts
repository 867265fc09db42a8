/** Every key and channel of a namespace, under one hash tag: so a script is atomic in a cluster too. */
export interface StoreKeys {
  readonly prefix: string;
  readonly state: string;
  readonly feed: string;
  readonly instances: string;
  readonly indexes: Readonly<Record<BucketKind, string>>;
  readonly announcements: string;
  readonly progress: string;
}

export type BucketKind = "tokens" | "unrecorded" | "cut-offs";

export function createStoreKeys(namespace: string): StoreKeys {
  const prefix = `{${namespace}}:`;
  return {
    prefix,
    state: `${prefix}state`,
    feed: `${prefix}feed`,
    instances: `${prefix}instances`,
    indexes: {
      tokens: `${prefix}index:tokens`,
      unrecorded: `${prefix}index:unrecorded`,
      "cut-offs": `${prefix}index:cut-offs`,
    },
    announcements: `${prefix}announcements`,
    progress: `${prefix}progress`,
  };
}

/** In the order in which the scripts take them. */
export function fixedKeysOf({ state, instances, feed, indexes }: StoreKeys): string[] {
  return [state, instances, feed, indexes.tokens, indexes.unrecorded, indexes["cut-offs"]];
}

export interface Bucket {
  readonly kind: BucketKind;
  readonly number: number;
}

const bucketName = /^(tokens|unrecorded|cut-offs):(\d{1,10})$/;

export const nameOfBucket = ({ kind, number }: Bucket): string => `${kind}:${number}`;

/** Null for what is no bucket of ours. */
export function bucketNamed(name: string): Bucket | null {
  const [, kind, number] = bucketName.exec(name) ?? [];
  if (kind !== "tokens" && kind !== "unrecorded" && kind !== "cut-offs") return null;
  return { kind, number: Number(number) };
}
