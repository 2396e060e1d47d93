import { createHash, createHmac, hash } from 'node:crypto';
import { Problem } from '#libs/platform';
import type { SignatureVersion } from '../connection.schema';
import { nameOf, type HubspotConnection } from '../connections';
import { fittingSecret, hmacKey, type InboundRequest } from '../schemes/inbound';
import { countSecret } from '../secret-pair';

const MAX_SKEW_MS = 300_000;

/** The percent codes that HubSpot decodes before it signs: these twelve, and no others. */
const decoded: Record<string, string> = {
  '%3A': ':',
  '%2F': '/',
  '%3F': '?',
  '%40': '@',
  '%21': '!',
  '%24': '$',
  '%27': "'",
  '%28': '(',
  '%29': ')',
  '%2A': '*',
  '%2C': ',',
  '%3B': ';',
};
const codes = new RegExp(Object.keys(decoded).join('|'), 'g');

const V3 = 'x-hubspot-signature-v3';
const OLDER = 'x-hubspot-signature';
const VERSION = `${OLDER}-version`;
const TIMESTAMP = 'x-hubspot-request-timestamp';

/** Strongest first. */
const versions: readonly SignatureVersion[] = ['v3', 'v2', 'v1'];

/** A HubSpot request whose signature was checked. Only {@link VerifiedRequest.verify} makes one. */
export class VerifiedRequest {
  private constructor(
    readonly method: string,
    /** As HubSpot called it. */
    readonly url: string,
    readonly body: Buffer,
    /** Whose secret it was signed by: one, unless an app is declared more than once. */
    readonly connections: readonly [HubspotConnection, ...HubspotConnection[]],
    /** What was checked, as it is noted on every record of the request: version, call, time and digest of the body. */
    readonly evidence: string,
  ) {}

  /**
   * Holds a request against every connection: against the strongest version that the connection accepts and the request
   * has a signature of, and no other after it. v3 must be at most 5 minutes before or after `now` (epoch milliseconds).
   * Throws a 401 problem that tells a forger nothing.
   */
  static verify(request: InboundRequest, connections: readonly HubspotConnection[], now: number): VerifiedRequest {
    // What is signed has no border between address and body: the end of a GET's query could be passed off as its body.
    if (request.method === 'GET' && request.body.length > 0) throw new Problem('signature-mismatch');
    const asked = connections.flatMap((connection) => {
      const version = versions.find((one) => connection.signatures.includes(one) && isSignedBy(one, request));
      return version === undefined ? [] : [{ connection, version }];
    });
    const stale = asked.some(({ version }) => version === 'v3' && !isFresh(request.headers[TIMESTAMP], now));
    const held = asked.flatMap((one) => {
      const secret = secretOf(request, one.version, one.connection);
      return secret === undefined || (stale && one.version === 'v3') ? [] : [{ ...one, secret }];
    });
    const [first, ...others] = held;
    if (!first) {
      const missing = asked.length === 0 || asked.every(({ version }) => version === 'v3' && isIncomplete(request));
      throw new Problem(missing ? 'signature-missing' : stale ? 'timestamp-stale' : 'signature-mismatch');
    }
    for (const { connection, version, secret } of held) {
      countSecret(nameOf('hubspot', connection), `hubspot-${version}`, secret);
    }
    const { method, url, body } = request;
    const holders = [first.connection, ...others.map(({ connection }) => connection)] as const;
    return new VerifiedRequest(method, url, body, holders, evidenceOf(request, first.version));
  }
}

const isSignedBy = (version: SignatureVersion, { headers }: InboundRequest): boolean =>
  version === 'v3' ? headers[V3] !== undefined : Boolean(headers[OLDER]) && headers[VERSION] === version;

const isIncomplete = ({ headers }: InboundRequest): boolean => !headers[V3] || !headers[TIMESTAMP];

const isFresh = (timestamp = '', now: number): boolean =>
  /^\d{13}$/.test(timestamp) && Math.abs(now - Number(timestamp)) <= MAX_SKEW_MS;

/** The texts are compared, not what they decode to: base64 has several spellings of the same bytes. */
function secretOf({ method, url, headers, body }: InboundRequest, version: SignatureVersion, by: HubspotConnection) {
  const given = headers[version === 'v3' ? V3 : OLDER] ?? '';
  return fittingSecret([given], by.secrets(), (secret) => {
    switch (version) {
      case 'v3':
        return createHmac('sha256', hmacKey(secret))
          .update(method + url.replace(codes, (code) => decoded[code] ?? code))
          .update(body)
          .update(headers[TIMESTAMP] ?? '')
          .digest('base64');
      case 'v2':
        return createHash('sha256')
          .update(secret)
          .update(method + url)
          .update(body)
          .digest('hex');
      case 'v1':
        return createHash('sha256').update(secret).update(body).digest('hex');
    }
  });
}

function evidenceOf({ method, url, headers, body }: InboundRequest, version: SignatureVersion): string {
  const call = `${method} ${url.replace(/\?.*/s, '')}`;
  const digest = hash('sha256', body, 'hex');
  const checked = { v3: `${call} at ${headers[TIMESTAMP]}`, v2: `${call} replayable`, v1: 'replayable' };
  return `hubspot-${version} ${checked[version]} sha256:${digest}`;
}
