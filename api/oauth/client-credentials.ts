import type { IncomingMessage } from "node:http";
import { headerValues } from "../middleware/header-values.ts";
import { OauthError } from "./oauth-error.ts";
import { decodeFormPart, type Form } from "./read-form.ts";

export type ClientCredentials =
  | { readonly method: "client_secret_basic"; readonly id: string; readonly secret: string }
  | { readonly method: "private_key_jwt"; readonly assertion: string; readonly id: string | undefined };

export const authenticationMethods = ["client_secret_basic", "private_key_jwt"] as const;

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const basic = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** How the client says who it is: one way, and no more (RFC 6749 §2.3). Throws an `OauthError`. */
export function clientCredentialsOf(
  request: Pick<IncomingMessage, "rawHeaders">,
  form: Form,
): ClientCredentials {
  const [header, ...more] = headerValues(request, "authorization");
  if (more.length > 0) throw new OauthError("invalid_request", "Send one Authorization header.");
  if (form.has("client_secret")) {
    throw new OauthError("invalid_client", "Send the client_secret as HTTP Basic, not in the body.");
  }
  const assertion = form.get("client_assertion");
  if (assertion === undefined) {
    if (header !== undefined) return basicOf(header, form);
    throw new OauthError("invalid_client", `Authenticate the client: ${authenticationMethods.join(" or ")}.`);
  }
  if (header !== undefined)
    throw new OauthError("invalid_request", "Authenticate the client in one way only.");
  if (form.get("client_assertion_type") !== assertionType) {
    throw new OauthError("invalid_client", `The client_assertion_type must be ${assertionType}.`);
  }
  return { method: "private_key_jwt", assertion, id: form.get("client_id") };
}

/** RFC 6749 §2.3.1: both parts are form-encoded before they become Basic. */
function basicOf(header: string, form: Form): ClientCredentials {
  const encoded = basic.exec(header)?.[1];
  const pair = encoded === undefined ? "" : Buffer.from(encoded, "base64").toString("utf8");
  const at = pair.indexOf(":");
  if (at === -1) {
    throw new OauthError(
      "invalid_client",
      "Authenticate the client as HTTP Basic with its id and its secret.",
    );
  }
  const id = decodeFormPart(pair.slice(0, at));
  if ((form.get("client_id") ?? id) !== id) {
    throw new OauthError("invalid_request", "The client_id is not the one that authenticates.");
  }
  return { method: "client_secret_basic", id, secret: decodeFormPart(pair.slice(at + 1)) };
}
