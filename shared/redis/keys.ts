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
