import { uuidPattern } from "../routes/patterns.ts";
import { ids } from "./example-ids.ts";

export interface PathParameter {
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly example: string;
}

export const uuidSchema = { type: "string", format: "uuid", pattern: uuidPattern.source } as const;

/** What stands for `:name` in a path. */
export const pathParameters: Readonly<Record<string, PathParameter>> = {
  id: {
    description: "The user's id.",
    schema: uuidSchema,
    example: ids.user,
  },
  jti: {
    description: "The access token's jti claim.",
    schema: uuidSchema,
    example: ids.jti,
  },
  event_id: {
    description: "The revocation's event_id, as its receipt has it.",
    schema: uuidSchema,
    example: ids.event,
  },
  slug: {
    description: "The last part of a problem's type.",
    schema: { type: "string", minLength: 1 },
    example: "token-revoked",
  },
};
