import type { IncomingMessage } from "node:http";
import { AppError } from "../../shared/errors.ts";
import { headerValues } from "../middleware/header-values.ts";
import { tokenOf } from "../middleware/require-token.ts";
import type { AcceptToken } from "../tokens/accept-token.ts";
import type { AuthenticateClient, Origin } from "./authenticate-client.ts";
import { clientCredentialsOf } from "./client-credentials.ts";
import type { Form } from "./read-form.ts";

/** Who asks about tokens: a client, or somebody with an access token who may. */
export interface Caller {
  /** Of the client or the user. */
  readonly id: string;
  readonly roles: readonly string[];
}

export interface CallerDeps {
  readonly authenticateClient: AuthenticateClient;
  readonly acceptToken: AcceptToken;
}

/** Ways to authenticate besides the header: one is used in a request (RFC 6750 §2, RFC 6749 §2.3). */
const inForm = ["access_token", "client_secret", "client_assertion"] as const;

/**
 * Authenticates a client, or takes an access token in its place (RFC 7662 §2.1), which costs no I/O: a client's own, an
 * operator's or an administrator's. Throws `invalid_client`, `auth-ambiguous`, or as the guards of a protected route.
 */
export function createReadCaller({ authenticateClient, acceptToken }: CallerDeps) {
  return async function readCaller(request: IncomingMessage, form: Form, origin: Origin): Promise<Caller> {
    const [header = ""] = headerValues(request, "authorization");
    if (!/^bearer(?: |$)/i.test(header)) {
      return authenticateClient(clientCredentialsOf(request, form), origin);
    }
    if (inForm.some((name) => form.has(name)))
      throw new AppError(
        "auth-ambiguous",
        "Send the token in the header, and nothing in the form to authenticate by.",
      );
    const { sub, client_id: clientId, roles } = acceptToken(tokenOf(request));
    const caller = { id: sub, roles };
    if (clientId === sub || isOperator(caller)) return caller;
    throw new AppError("forbidden", "This needs a client, or the role operator or admin.");
  };
}

export type ReadCaller = ReturnType<typeof createReadCaller>;

/** May look at and revoke the tokens of others. */
export function isOperator({ roles }: Pick<Caller, "roles">): boolean {
  return roles.includes("operator") || roles.includes("admin");
}
