import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Problem } from '#libs/platform';

/** A callback as it came, not yet believed. */
export interface SignedCallback {
  body: Buffer;
  signature: string | undefined;
  /** Unix seconds; HeyGen's older endpoints send none. */
  timestamp: string | undefined;
}

const MAX_SKEW_MS = 300_000;

/** A HeyGen callback whose signature was checked. Only {@link VerifiedCallback.verify} makes one. */
export class VerifiedCallback {
  private constructor(
    readonly body: Buffer,
    /** What was checked, as it is noted on the record: scheme, the unsigned time if there was one, digest of the body. */
    readonly evidence: string,
  ) {}

  /**
   * Checks an HMAC-SHA256 (hex, `sha256=` before it or not) over the raw body, keyed by the secret as HeyGen gave it.
   * A timestamp must be within 5 minutes of `now` (epoch milliseconds) where there is one; it is not signed, so it
   * stops late deliveries, not forgers. Throws a 401 problem that tells a forger nothing.
   */
  static verify({ body, signature, timestamp }: SignedCallback, secret: string, now: number): VerifiedCallback {
    if (!signature) throw new Problem('signature-missing');
    if (timestamp !== undefined && !isFresh(timestamp, now)) throw new Problem('timestamp-stale');
    const given = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(signature)?.[1];
    const expected = createHmac('sha256', secret).update(body).digest();
    if (!given || !timingSafeEqual(Buffer.from(given, 'hex'), expected)) throw new Problem('signature-mismatch');
    const digest = createHash('sha256').update(body).digest('hex');
    return new VerifiedCallback(body, `heygen-hmac at ${timestamp ?? 'no time'} sha256:${digest}`);
  }
}

const isFresh = (timestamp: string, now: number): boolean =>
  /^\d{10}$/.test(timestamp) && Math.abs(now - Number(timestamp) * 1_000) <= MAX_SKEW_MS;
