import { Problem } from '#libs/platform';
import { z } from 'zod';
import { fittingSecret, type Evidence, type InboundRequest, type Secrets } from './inbound';
import { headerName, namesItsSecrets, secretFields } from './rule';

/** HTTP Basic (RFC 7617): a user's name, and a secret as the password. */
export const basicRule = z
  .strictObject({
    scheme: z.literal('basic'),
    ...secretFields,
    user: z.string().regex(/^[^:]{1,100}$/, 'must be a name without a colon'),
  })
  .check(namesItsSecrets);

/** A secret in a header. */
export const apiKeyRule = z
  .strictObject({
    scheme: z.literal('api-key'),
    ...secretFields,
    header: headerName(),
    prefix: z.string().max(20).default('').describe('Stands before the key, such as `Bearer `'),
  })
  .check(namesItsSecrets);

/** Checks the user and password of the request; throws a 401 problem. */
export function verifyBasic({ headers }: InboundRequest, { user }: { user: string }, secrets: Secrets): Evidence {
  const given = /^basic +(.+)$/i.exec(headers['authorization'] ?? '')?.[1];
  const secret = fittingSecret(given === undefined ? [] : [given], secrets, (password) =>
    Buffer.concat([Buffer.from(`${user}:`), password]).toString('base64'),
  );
  if (secret === undefined) throw new Problem('unauthorized');
  return { says: secret, secret };
}

/** Checks that a header is the prefix and one of the secrets; throws a 401 problem. */
export function verifyApiKey(
  { headers }: InboundRequest,
  { header, prefix }: { header: string; prefix: string },
  secrets: Secrets,
): Evidence {
  const given = headers[header];
  const secret = fittingSecret(given === undefined ? [] : [given], secrets, (key) => prefix + key.toString('latin1'));
  if (secret === undefined) throw new Problem('unauthorized');
  return { says: `${header} ${secret}`, secret };
}
