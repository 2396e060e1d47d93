import { createHmac } from 'node:crypto';

/** Settings of a gateway under test; brokers and prefix come from the test. */
export const testSettings = {
  PORT: '0',
  LOG_LEVEL: 'silent',
  PUBLIC_URL: 'https://hub.example.test',
  HUBSPOT_CLIENT_SECRET: '7f3c1a52-0b8e-4c6d-9a11-2d5e8f9b0c34',
  HEYGEN_WEBHOOK_SECRET: 'whsec_dGVzdA==',
};

/** The headers that HubSpot sends with a body, signed for the public address. */
export function hubspotHeaders(
  body: string | Buffer,
  { at = Date.now(), secret = testSettings.HUBSPOT_CLIENT_SECRET } = {},
) {
  const signature = createHmac('sha256', secret)
    .update(`POST${testSettings.PUBLIC_URL}/webhooks/hubspot`)
    .update(body)
    .update(String(at))
    .digest('base64');
  return {
    'content-type': 'application/json',
    'x-hubspot-signature-v3': signature,
    'x-hubspot-request-timestamp': String(at),
  };
}

/** The signature that HeyGen puts on a body. */
export const heygenSignature = (body: string | Buffer): string =>
  createHmac('sha256', testSettings.HEYGEN_WEBHOOK_SECRET).update(body).digest('hex');
