/** Null for a key of another type: somebody else wrote it, and no load may end there. */
export async function unlessForeign(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    if (isWrongType(error)) return null;
    throw error;
  }
}

/** Whether a call failed because of a key that is not of our type. */
export function isWrongType(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message.includes("WRONGTYPE");
}
