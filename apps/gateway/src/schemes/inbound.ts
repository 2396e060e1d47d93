import { createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';

/** A request as it came, not yet believed. */
export interface InboundRequest {
  method: string;
  /** Scheme, host, path and query as the sender called them. */
  url: string;
  /** By lower-case name; one that came several times is joined by commas. */
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
  /** Address of whoever holds the connection: the sender itself or the nearest proxy. */
  peer: string;
  /** That of the connection, where the gateway's own TLS listener verified it. */
  certificate?: ClientCertificate;
}

/** What a verified client certificate says of its holder. */
export interface ClientCertificate {
  /** SHA-1 and SHA-256, hex. */
  fingerprints: string[];
  /** As RFC 2253 writes it, which is as Envoy does. */
  subject: string;
  /** DNS names and URIs. */
  sans: string[];
}

/** Which of the two secrets of a rotation. */
export type SecretName = 'current' | 'next';

/** The secrets that are accepted now. */
export interface Secrets {
  current: Buffer;
  next?: Buffer;
}

/** What a scheme found to hold of a request. */
export interface Evidence {
  /** As it is noted on the record; holds no secret. */
  says: string;
  secret?: SecretName;
}

/** Tells by which secret one of the given texts is as expected. Compares all with all, in a time that tells nothing. */
export function fittingSecret(
  given: readonly string[],
  secrets: Secrets,
  expected: (secret: Buffer) => string,
): SecretName | undefined {
  let fits: SecretName | undefined;
  for (const name of ['next', 'current'] as const) {
    const secret = secrets[name];
    if (secret === undefined) continue;
    const wanted = digest(expected(secret));
    for (const text of given) if (timingSafeEqual(digest(text), wanted)) fits = name;
  }
  return fits;
}

/** Digests have one length, whatever was given. */
const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

const keys = new WeakMap<Buffer, KeyObject>();

/** A secret as the key of an HMAC, made once: Node takes longer to make a key than to use it. */
export function hmacKey(secret: Buffer): KeyObject {
  let key = keys.get(secret);
  if (!key) keys.set(secret, (key = createSecretKey(secret)));
  return key;
}
