import { Problem } from '#libs/platform';
import { z } from 'zod';
import type { AddressSet } from './addresses';
import type { ClientCertificate, Evidence, InboundRequest } from './inbound';
import { headerName } from './rule';

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();
const accepted = z.array(z.string().min(1)).min(1).optional();

/** A client certificate that a trusted proxy, or the gateway's own TLS listener, checked. */
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
 * Checks the client's certificate against every list of the rule: that of the connection, or of a trusted proxy what it
 * tells. That is never believed where two elements came: it must set the header, not append to it. Throws 401 or 403.
 */
export function verifyCertificate(request: InboundRequest, rule: CertificateRule, proxies: AddressSet): Evidence {
  // A proxy's own certificate says nothing of those for whom it speaks.
  const isProxy = proxies.has(request.peer);
  const told = isProxy ? toldByProxy(request.headers[rule.header], rule.format) : shown(request.certificate);
  const { fingerprints, subjects, sans } = rule;
  const holds =
    told !== undefined &&
    (!fingerprints || fingerprintFits(fingerprints, told, isProxy)) &&
    (!subjects || isOneOf(subjects, told.subject)) &&
    (!sans || told.san.some((san) => sans.includes(san)));
  if (!holds) throw new Problem('certificate-not-accepted');
  return { says: isProxy ? `by ${rule.header}` : 'of the connection' };
}

// A certificate has one fingerprint and one subject: whoever tells two has let something in between.
const isOneOf = (list: readonly string[], [value, ...more]: string[]): boolean =>
  value !== undefined && more.length === 0 && list.includes(value);

// The connection tells two, SHA-1 and SHA-256, of one certificate.
const fingerprintFits = (list: readonly string[], { fingerprint }: Told, isProxy: boolean): boolean =>
  isProxy ? isOneOf(list, fingerprint.map(plain)) : fingerprint.some((one) => list.includes(plain(one)));

function toldByProxy(value: string | undefined, format: CertificateRule['format']): Told | undefined {
  if (!value) throw new Problem('certificate-missing');
  return toldIn(value, format);
}

function shown(certificate: ClientCertificate | undefined): Told {
  if (!certificate) throw new Problem('certificate-missing');
  return { fingerprint: certificate.fingerprints, subject: [certificate.subject], san: certificate.sans };
}

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
