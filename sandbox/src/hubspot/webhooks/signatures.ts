import { createHash, createHmac } from 'node:crypto';

const DECODED: Record<string, string> = {
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

/** Decodes the twelve escapes that version 3 signs in plain form, and no others. */
export const decodedForV3 = (uri: string): string =>
  uri.replace(/%[0-9a-f]{2}/gi, (escape) => DECODED[escape.toUpperCase()] ?? escape);

export const signV1 = (secret: string, body: string): string =>
  createHash('sha256')
    .update(secret + body, 'utf8')
    .digest('hex');

export const signV2 = (secret: string, method: string, uri: string, body: string): string =>
  createHash('sha256')
    .update(secret + method + uri + body, 'utf8')
    .digest('hex');

export const signV3 = (secret: string, method: string, uri: string, body: string, timestamp: string): string =>
  createHmac('sha256', secret)
    .update(method + decodedForV3(uri) + body + timestamp, 'utf8')
    .digest('base64');

export const SIGNATURE_PROFILES: readonly string[] = [
  ...['v1+v3', 'v1', 'v2', 'v3', 'v2+v3', 'unsigned', 'wrong-secret', 'stale', 'future'],
];
export type SignatureProfile = string;

const SIX_MINUTES = 360_000;

/** Makes the signature headers of one attempt, fresh in time. */
export function signatureHeaders(
  profile: SignatureProfile,
  secret: string,
  uri: string,
  body: string,
  now: number,
  method = 'POST',
): Record<string, string> {
  if (profile === 'unsigned') return {};
  const key = profile === 'wrong-secret' ? `${secret}-not` : secret;
  const timestamp = String(profile === 'stale' ? now - SIX_MINUTES : profile === 'future' ? now + SIX_MINUTES : now);
  const headers: Record<string, string> = {};
  if (profile.startsWith('v2')) {
    headers['X-HubSpot-Signature'] = signV2(key, method, uri, body);
    headers['X-HubSpot-Signature-Version'] = 'v2';
  } else if (profile !== 'v3') {
    headers['X-HubSpot-Signature'] = signV1(key, body);
    headers['X-HubSpot-Signature-Version'] = 'v1';
  }
  if (profile !== 'v1' && profile !== 'v2') {
    headers['X-HubSpot-Signature-v3'] = signV3(key, method, uri, body, timestamp);
    headers['X-HubSpot-Request-Timestamp'] = timestamp;
  }
  return headers;
}
