import { createHmac } from 'node:crypto';
import { Problem } from '#libs/platform';
import { z } from 'zod';
import { fittingSecret, hmacKey, type Evidence, type InboundRequest, type Secrets } from './inbound';
import { headerName, namesItsSecrets, secretFields, toleranceSeconds } from './rule';

const text = z.string().min(1).max(20);
const part = z.union([
  z.enum(['body', 'timestamp', 'method', 'url']),
  z.strictObject({ header: headerName() }),
  z.strictObject({ text }),
]);

type Part = z.infer<typeof part>;

const isHeader = (one: Part | undefined): boolean => typeof one === 'object' && 'header' in one;

const timestamp = z
  .strictObject({
    header: headerName().optional().describe('Header of its own'),
    item: text.optional().describe('Prefix of the item of the signature header, such as `t=`'),
    unit: z.enum(['s', 'ms']).default('s').describe('Seconds (10 digits) or milliseconds (13 digits) of Unix time'),
    toleranceSeconds: toleranceSeconds(300),
  })
  .refine((time) => (time.header === undefined) !== (time.item === undefined), 'names either header or item');

/** An HMAC over parts of the request, as a declaration says it. */
export const hmacRule = z
  .strictObject({
    scheme: z.literal('hmac'),
    ...secretFields,
    header: headerName().describe('Header of the signature'),
    algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha256'),
    encoding: z.enum(['hex', 'base64']).default('hex').describe('Of the signature; hex is lower case'),
    prefix: z.string().max(20).default('').describe('Stands before each signature, such as `sha256=`'),
    separator: text.optional().describe('Stands between the items of the header, where it may hold several'),
    signed: z
      .array(part)
      .default(['body'])
      .describe('What is signed, in order: body, timestamp, method, url, `header: name`, `text: literal`'),
    timestamp: timestamp.optional(),
    key: z
      .enum(['text', 'base64', 'hex'])
      .default('text')
      .describe('How the secret is written; of base64 a `whsec_` before it is left out'),
  })
  .refine((rule) => rule.signed.includes('body'), 'must sign the body')
  .refine(
    (rule) => rule.signed.includes('timestamp') === (rule.timestamp !== undefined),
    'must sign its timestamp, and declare the one that it signs',
  )
  .refine(
    ({ timestamp: time, separator }) => time?.item === undefined || separator !== undefined,
    'needs a separator to find the timestamp among the items',
  )
  .refine(
    ({ signed }) => !signed.some((one, i) => isHeader(one) && isHeader(signed[i + 1])),
    'needs a text between two headers: without it nobody knows where one ends',
  )
  .check(namesItsSecrets);

/** What {@link verifyHmac} goes by. */
export type HmacRule = Pick<
  z.infer<typeof hmacRule>,
  'header' | 'algorithm' | 'encoding' | 'prefix' | 'separator' | 'signed' | 'timestamp'
>;

/** Senders that rotate their keys sign with two or three; more only cost time. */
const MAX_SIGNATURES = 10;

/**
 * Checks that one signature of the header is the HMAC of the signed parts by one of the secrets, and that the timestamp,
 * where one is signed, is near `now` (epoch milliseconds). The texts are compared, not what they decode to: each
 * signature has one spelling. Throws a 401 problem that tells a forger nothing.
 */
export function verifyHmac(request: InboundRequest, rule: HmacRule, secrets: Secrets, now: number): Evidence {
  const header = request.headers[rule.header];
  if (!header) throw new Problem('signature-missing');
  const items = rule.separator === undefined ? [header] : header.split(rule.separator);
  const time = rule.timestamp && timeOf(request, rule.timestamp, items);
  const parts = rule.signed.map((one) => valueOf(one, request, time));
  if (parts.includes(undefined)) throw new Problem('signature-missing');
  if (rule.timestamp && !isFresh(time, rule.timestamp, now)) throw new Problem('timestamp-stale');
  const { prefix, algorithm, encoding } = rule;
  const signatures = items.filter((item) => item.startsWith(prefix)).map((item) => item.slice(prefix.length));
  const secret = fittingSecret(signatures.slice(0, MAX_SIGNATURES), secrets, (key) => {
    const hmac = createHmac(algorithm, hmacKey(key));
    for (const value of parts) hmac.update(value ?? '');
    return hmac.digest(encoding);
  });
  if (secret === undefined || endsUnclear(rule.signed, parts)) throw new Problem('signature-mismatch');
  return { says: `${algorithm} ${secret}${time === undefined ? '' : ` at ${time}`}`, secret };
}

function timeOf(
  request: InboundRequest,
  { header, item }: NonNullable<HmacRule['timestamp']>,
  items: string[],
): string | undefined {
  if (header !== undefined) return request.headers[header];
  const found = items.filter((one) => item !== undefined && one.startsWith(item));
  return found.length === 1 ? found[0]?.slice(item?.length) : undefined;
}

// Header bytes are handed over as latin1 text; what was signed are the bytes.
function valueOf(one: Part, request: InboundRequest, time: string | undefined): Buffer | undefined {
  if (one === 'body') return request.body;
  if (one === 'timestamp') return bytes(time);
  if (one === 'method' || one === 'url') return bytes(request[one]);
  return 'text' in one ? Buffer.from(one.text) : bytes(request.headers[one.header]);
}

const bytes = (value: string | undefined): Buffer | undefined => (value ? Buffer.from(value, 'latin1') : undefined);

function isFresh(
  time: string | undefined,
  { unit, toleranceSeconds: seconds }: NonNullable<HmacRule['timestamp']>,
  now: number,
): boolean {
  if (!(unit === 's' ? /^\d{10}$/ : /^\d{13}$/).test(time ?? '')) return false;
  return Math.abs(now - Number(time) * (unit === 's' ? 1_000 : 1)) <= seconds * 1_000;
}

// `a.b` + `.` + `c` is signed as `a` + `.` + `b.c` is: a value that holds the text after it could be cut elsewhere.
function endsUnclear(signed: HmacRule['signed'], parts: (Buffer | undefined)[]): boolean {
  return signed.some((one, i) => {
    const next = signed[i + 1];
    return isHeader(one) && typeof next === 'object' && 'text' in next && parts[i]?.includes(next.text);
  });
}
