import type { Operation } from "./operation.ts";
import { accountOperations } from "./operations/account.ts";
import { accountSessionOperations } from "./operations/account-sessions.ts";
import { auditOperations } from "./operations/audit.ts";
import { eventOperations } from "./operations/events.ts";
import { oauthOperations } from "./operations/oauth.ts";
import { revocationOperations } from "./operations/revocations.ts";
import { serviceOperations } from "./operations/service.ts";
import { sessionOperations } from "./operations/sessions.ts";
import { userOperations } from "./operations/users.ts";

/**
 * Every operation, one for each route; a test compares them with the router. A new route gets an entry in the file of
 * its group in operations/: method, path, id, tag, summary, caller, the schemas that its handler reads the query and the
 * body with, what it answers (response-schemas.ts), and the problems that are its own.
 */
export const allOperations: readonly Operation[] = [
  ...sessionOperations,
  ...accountOperations,
  ...accountSessionOperations,
  ...userOperations,
  ...oauthOperations,
  ...revocationOperations,
  ...eventOperations,
  ...auditOperations,
  ...serviceOperations,
];
