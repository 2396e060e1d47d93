import { Problem } from '#libs/platform';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';
import { z } from 'zod';
import type { Evidence, InboundRequest } from './inbound';
import { headerName, toleranceSeconds } from './rule';

/** Public keys only: with `none` or a shared key anybody who knows a public key could sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const isSafe = (text: string): boolean =>
  URL.canParse(text) &&
  (new URL(text).protocol === 'https:' || /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)[:/]/.test(text));

/** A JSON Web Token (RFC 7519) that an issuer signed, in an Authorization header. */
export const bearerTokenRule = z.strictObject({
  scheme: z.literal('bearer-token'),
  header: headerName().default('authorization'),
  issuer: z.string().min(1),
  audience: z.string().min(1),
  jwks: z.string().refine(isSafe, 'must be an https address').describe("Address of the issuer's public keys"),
  algorithms: z.array(z.enum(algorithms)).min(1).default(['RS256', 'ES256']),
  toleranceSeconds: toleranceSeconds(60),
});

/** What {@link verifyBearerToken} goes by. */
export type BearerTokenRule = z.infer<typeof bearerTokenRule>;

const FETCH_LIMIT_MS = 3_000;
/** A token with an unknown key asks for the keys again, but not more often than this. */
const COOL_DOWN_MS = 30_000;
const REST_AFTER_FAULT_MS = 5_000;

/**
 * The issuer's keys: fetched when first needed, kept for ten minutes, fetched again for an unknown key id at most every
 * 30 s and after a fault at most every 5 s. Throws the 503 problem `keys-unavailable` where they cannot be had in 3 s.
 */
export function issuerKeys(jwks: string): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(jwks), { timeoutDuration: FETCH_LIMIT_MS, cooldownDuration: COOL_DOWN_MS });
  let restsUntil = 0;
  return async (header, token) => {
    const rests = performance.now() < restsUntil;
    try {
      if (!rests) return await remote(header, token);
      const known = remote.fresh ? remote.jwks() : undefined;
      return await createLocalJWKSet(known ?? { keys: [] })(header, token);
    } catch (error) {
      // A key that is unknown while the issuer rests may be known to it.
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof errors.JWKSNoMatchingKey && !rests) throw error;
      if (!rests) restsUntil = performance.now() + REST_AFTER_FAULT_MS;
      throw new Problem('keys-unavailable', { retryAfterSeconds: REST_AFTER_FAULT_MS / 1_000, cause: error });
    }
  };
}

/**
 * Checks signature, issuer, audience and times of the token; one without an end is not accepted. `now` is epoch
 * milliseconds. Throws a 401 problem, or the 503 of keys that cannot be had.
 */
export async function verifyBearerToken(
  request: InboundRequest,
  rule: BearerTokenRule,
  keys: JWTVerifyGetKey,
  now: number,
): Promise<Evidence> {
  const token = /^bearer +(\S+)$/i.exec(request.headers[rule.header] ?? '')?.[1];
  if (token === undefined) throw new Problem('unauthorized');
  const options: JWTVerifyOptions = {
    issuer: rule.issuer,
    audience: rule.audience,
    algorithms: rule.algorithms,
    clockTolerance: rule.toleranceSeconds,
    requiredClaims: ['exp'],
    currentDate: new Date(now),
  };
  try {
    await verifyByEach(token, keys, options);
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('unauthorized');
  }
  return { says: `of ${rule.issuer}` };
}

/** Tokens may name no key where the issuer has several: then each that fits is tried. */
async function verifyByEach(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<void> {
  try {
    await jwtVerify(token, keys, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      const fits = await jwtVerify(token, key, options).then(
        () => true,
        () => false,
      );
      if (fits) return;
    }
    throw error;
  }
}
