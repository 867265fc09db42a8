import { algorithms } from "../tokens/keys.ts";
import { authenticationMethods } from "./client-credentials.ts";
import { clientRoles } from "./client-roles.ts";

export const tokenPath = "/oauth/token";

/** The address of a path of ours, as clients know it: below the issuer, whatever host they called. */
export function endpointOf(issuer: string, path: string): string {
  return `${issuer.replace(/\/+$/, "")}${path}`;
}

/** RFC 8414 §2. Null where the issuer is no address, so that no endpoint has one either. */
export function createMetadata(issuer: string): Readonly<Record<string, unknown>> | null {
  if (!URL.canParse(issuer) || !/^https?:$/.test(new URL(issuer).protocol)) return null;
  const methods = {
    auth_methods_supported: authenticationMethods,
    auth_signing_alg_values_supported: algorithms,
  };
  return {
    issuer,
    token_endpoint: endpointOf(issuer, tokenPath),
    ...prefixed("token_endpoint", methods),
    revocation_endpoint: endpointOf(issuer, "/oauth/revoke"),
    ...prefixed("revocation_endpoint", methods),
    introspection_endpoint: endpointOf(issuer, "/oauth/introspect"),
    ...prefixed("introspection_endpoint", methods),
    jwks_uri: endpointOf(issuer, "/.well-known/jwks.json"),
    grant_types_supported: ["client_credentials"],
    // Required, though there is no authorization endpoint to ask for any.
    response_types_supported: [],
    scopes_supported: clientRoles,
  };
}

const metadataPath = "/.well-known/oauth-authorization-server";

/** RFC 8414 §3.1: behind it stands the issuer's path, if it has one; as patterns of the router. */
export function metadataPathsOf(issuer: string): readonly string[] {
  const path = URL.canParse(issuer) ? new URL(issuer).pathname.replace(/\/+$/, "") : "";
  if (!path.startsWith("/")) return [metadataPath];
  return [metadataPath, `${metadataPath}${path.replaceAll(/[{}()[\]+?!:*\\]/g, "\\$&")}`];
}

function prefixed(endpoint: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${endpoint}_${name}`, value]));
}
