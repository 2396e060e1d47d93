import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Problem } from '#libs/platform';

/** A request as it came, not yet believed. */
export interface SignedRequest {
  method: string;
  /** Scheme, host, path and query exactly as HubSpot called them. */
  url: string;
  body: Buffer;
  signature: string | undefined;
  timestamp: string | undefined;
}

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

/** A HubSpot request whose signature was checked. Only {@link VerifiedRequest.verify} makes one. */
export class VerifiedRequest {
  private constructor(
    readonly body: Buffer,
    /** What was checked, as it is noted on every record of the request: scheme, call, time and digest of the body. */
    readonly evidence: string,
  ) {}

  /**
   * Checks a v3 signature (HMAC-SHA256, base64) over method, decoded URL, raw body and timestamp, which may be at most
   * 5 minutes before or after `now` (epoch milliseconds). Throws a 401 problem that tells a forger nothing.
   */
  static verify(request: SignedRequest, secret: string, now: number): VerifiedRequest {
    const { method, url, body, signature, timestamp } = request;
    if (!signature || !timestamp) throw new Problem('signature-missing');
    if (!/^\d{13}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > MAX_SKEW_MS) {
      throw new Problem('timestamp-stale');
    }
    const expected = createHmac('sha256', secret)
      .update(method + url.replace(codes, (code) => decoded[code] ?? code), 'utf8')
      .update(body)
      .update(timestamp)
      .digest('base64');
    // The text is compared, not what it decodes to: base64 has several spellings of the same bytes.
    const wellFormed = /^[A-Za-z0-9+/]{43}=$/.test(signature);
    if (!wellFormed || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
      throw new Problem('signature-mismatch');
    }
    const call = `${method} ${url.replace(/\?.*/s, '')}`;
    const digest = createHash('sha256').update(body).digest('hex');
    return new VerifiedRequest(body, `hubspot-v3 ${call} at ${timestamp} sha256:${digest}`);
  }
}
