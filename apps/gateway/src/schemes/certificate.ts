import { Problem } from '#libs/platform';
import { z } from 'zod';
import type { AddressSet } from './addresses';
import type { Evidence, InboundRequest } from './inbound';
import { headerName } from './rule';

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();
const accepted = z.array(z.string().min(1)).min(1).optional();

/** A client certificate that a trusted proxy checked and told of. */
export const certificateRule = z
  .strictObject({
    scheme: z.literal('certificate'),
    header: headerName().default('x-forwarded-client-cert'),
    format: z
      .enum(['xfcc', 'fingerprint', 'subject', 'san'])
      .default('xfcc')
      .describe("What the header holds: Envoy's XFCC with exactly one element, or just one of its values"),
    fingerprints: z
      .array(
        z
          .string()
          .transform(plain)
          .refine((hex) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hex), 'must be a fingerprint in hex'),
      )
      .min(1)
      .optional()
      .describe('Accepted fingerprints, hex, with or without colons'),
    subjects: accepted.describe('Accepted subjects, exactly as the proxy writes them'),
    sans: accepted.describe('Accepted subject alternative names: DNS names or URIs'),
  })
  .refine(
    (rule) => rule.fingerprints ?? rule.subjects ?? rule.sans,
    'names what it accepts: fingerprints, subjects or sans',
  )
  .refine(
    ({ format, fingerprints, subjects, sans }) =>
      format === 'xfcc' ||
      Object.entries({ fingerprint: fingerprints, subject: subjects, san: sans }).every(
        ([name, list]) => (list !== undefined) === (name === format),
      ),
    'names exactly what its format tells',
  );

/** What {@link verifyCertificate} goes by. */
export type CertificateRule = Omit<z.infer<typeof certificateRule>, 'scheme'>;

interface Told {
  fingerprint: string[];
  subject: string[];
  san: string[];
}

/**
 * Checks what a proxy tells of the client's certificate against every list of the rule. It is believed of a trusted peer
 * only, and never where two elements came: the proxy must set the header and not append to it. Throws 401 or 403.
 */
export function verifyCertificate(request: InboundRequest, rule: CertificateRule, proxies: AddressSet): Evidence {
  const value = request.headers[rule.header];
  if (!value || !proxies.has(request.peer)) throw new Problem('certificate-missing');
  const told = toldIn(value, rule.format);
  const { fingerprints, subjects, sans } = rule;
  const holds =
    told !== undefined &&
    (!fingerprints || isOneOf(fingerprints, told.fingerprint.map(plain))) &&
    (!subjects || isOneOf(subjects, told.subject)) &&
    (!sans || told.san.some((san) => sans.includes(san)));
  if (!holds) throw new Problem('certificate-not-accepted');
  return { says: `by ${rule.header}` };
}

// A certificate has one fingerprint and one subject: whoever tells two has let something in between.
const isOneOf = (list: readonly string[], [value, ...more]: string[]): boolean =>
  value !== undefined && more.length === 0 && list.includes(value);

function toldIn(value: string, format: CertificateRule['format']): Told | undefined {
  if (format !== 'xfcc') return { fingerprint: [], subject: [], san: [], [format]: [value] };
  const pairs = readXfcc(value);
  const of = (...names: string[]) =>
    (pairs ?? []).filter(([name]) => names.includes(name.toLowerCase())).map(([, text]) => text);
  return pairs && { fingerprint: of('hash'), subject: of('subject'), san: of('uri', 'dns') };
}

/** Reads the pairs of the one element of an XFCC header; undefined where it has several or is malformed. */
function readXfcc(value: string): [name: string, value: string][] | undefined {
  const pair = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))(;|$)/y;
  const pairs: [string, string][] = [];
  while (pair.lastIndex < value.length) {
    const found = pair.exec(value);
    if (!found) return undefined;
    const [, name = '', quoted, bare = '', end] = found;
    pairs.push([name, quoted === undefined ? bare : quoted.replace(/\\(.)/g, '$1')]);
    if (end === '') return pairs;
  }
  return pairs;
}
