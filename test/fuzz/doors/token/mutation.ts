import type { Random } from "../../../support/random.ts";
import type { TokenForge } from "../../../support/token-forge.ts";
import type { Draft } from "./draft.ts";

export interface MutationContext {
  readonly random: Random;
  readonly forge: TokenForge;
  /** Whose tokens below this epoch are cut off. */
  readonly cutOff: { readonly sub: string; readonly epoch: number };
  readonly revokedJti: string;
}

export type Mutation = (draft: Draft, context: MutationContext) => void;
