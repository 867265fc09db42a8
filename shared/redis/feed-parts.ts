import type { PackedAdditions } from "../revocation/packed-additions.ts";

/** In the order in which the scripts take them. */
export function partsOf({ tokens, unrecordedTokens, cutOffs }: PackedAdditions): Buffer[] {
  return [tokens, unrecordedTokens, cutOffs].map((part) =>
    Buffer.from(part.buffer, part.byteOffset, part.length),
  );
}
