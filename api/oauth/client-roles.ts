import type { Role } from "../../shared/ports/user-store.ts";

/** What a client may be: administrators are people, and `user` is for their own calls. */
export const clientRoles = ["operator", "emitter"] as const satisfies readonly Role[];
export type ClientRole = (typeof clientRoles)[number];
