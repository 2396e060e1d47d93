import type { InboundRequest, Secrets } from '../schemes/inbound';

/** A request with nothing on it but what a test gives. */
export const inbound = (over: Partial<InboundRequest> = {}): InboundRequest => ({
  method: 'POST',
  url: 'https://hub.example.test/webhooks/in/test',
  headers: {},
  body: Buffer.from('{"id":"evt_1"}'),
  peer: '203.0.113.9',
  ...over,
});

/** Secrets as text. */
export const secrets = (current: string, next?: string): Secrets => ({
  current: Buffer.from(current),
  next: next === undefined ? undefined : Buffer.from(next),
});

/** The code of the problem that is thrown, or what was returned. */
export const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
};
