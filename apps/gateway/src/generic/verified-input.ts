import { createHash } from 'node:crypto';
import { meter } from '#libs/platform';
import type { Evidence, InboundRequest, SecretName } from '../schemes/inbound';
import type { Endpoint } from './endpoints';

const secretsUsed = meter.createCounter('gateway_secrets_used', {
  description: 'Verified requests by endpoint, scheme and secret (current or next)',
});

/** A request of which every scheme of its endpoint held. Only {@link VerifiedInput.verify} makes one. */
export class VerifiedInput {
  private constructor(
    readonly headers: InboundRequest['headers'],
    readonly body: Buffer,
    /** SHA-256 of the body in hex. */
    readonly digest: string,
    /** What was checked, as it is noted on the record: each scheme with what it found, and the digest of the body. */
    readonly evidence: string,
  ) {}

  /** Throws the problem of the first scheme that does not hold; `now` is epoch milliseconds. */
  static async verify(request: InboundRequest, { declared, schemes }: Endpoint, now: number): Promise<VerifiedInput> {
    const held: (Evidence & { scheme: string })[] = [];
    for (const { name, verify } of schemes) held.push({ scheme: name, ...(await verify(request, now)) });
    for (const { scheme, secret } of held) if (secret) noteUse(declared.endpoint, scheme, secret);
    const digest = createHash('sha256').update(request.body).digest('hex');
    const found = held.map(({ scheme, says }) => `${scheme} ${says}`).join(', ');
    return new VerifiedInput(request.headers, request.body, digest, `${found} sha256:${digest}`);
  }
}

/** By these one sees that a sender has changed to the next secret. */
const noteUse = (endpoint: string, scheme: string, secret: SecretName): void =>
  secretsUsed.add(1, { endpoint, scheme, secret });
