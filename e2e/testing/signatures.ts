import { createHmac } from 'node:crypto';

// Written from the vendors' documents, not from the gateway's code: the two must agree by themselves.

/** The headers that HubSpot sends with a body, by version 3 of its request signatures. */
export function hubspotHeaders(
  url: string,
  body: string,
  secret: string,
  at = Date.now(),
  method = 'POST',
): Record<string, string> {
  const signed = Buffer.concat([Buffer.from(`${method}${url}`), Buffer.from(body), Buffer.from(String(at))]);
  return {
    'content-type': 'application/json',
    'x-hubspot-signature-v3': createHmac('sha256', secret).update(signed).digest('base64'),
    'x-hubspot-request-timestamp': String(at),
  };
}

/** The headers that HeyGen sends with a callback. */
export function heygenHeaders(body: string, secret: string, eventId: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'heygen-signature': createHmac('sha256', secret).update(body).digest('hex'),
    'heygen-timestamp': String(Math.floor(Date.now() / 1000)),
    'heygen-event-id': eventId,
  };
}
