/** RFC 9278: the URI of a JWK's thumbprint. */
const prefix = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";

/**
 * What stands for a signing key where a token's id stands: no access token has such an id, so the revocation of a key
 * travels, is kept and is proved to be enforced as a token's is.
 */
export function keyNameOf(thumbprint: string): string {
  return `${prefix}${thumbprint}`;
}

export function isKeyName(jti: string): boolean {
  return jti.startsWith(prefix);
}
