import { expect } from "chai";
import type { AuditWorld } from "./world.ts";

export function expectNothing(found: readonly unknown[]): void {
  expect(found).to.deep.equal([]);
}

export function seqsOf(records: readonly { readonly seq: number }[]): number[] {
  return records.map(({ seq }) => seq);
}

/** The entries of the register: what each is and how far it says that its chain had come. */
export async function kindsOf({ store }: Pick<AuditWorld, "store">): Promise<string[]> {
  return (await store.listRegister({ limit: 100 })).map(({ kind, seq }) => `${kind} ${seq}`);
}
