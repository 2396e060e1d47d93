import { createHash, createHmac } from 'node:crypto';
import { Problem } from '#libs/platform';
import type { SentEvent } from '#libs/vendors/heygen';
import { nameOf, type HeygenConnection } from '../connections';
import { fittingSecret, hmacKey, type InboundRequest } from '../schemes/inbound';
import { countSecret } from '../secret-pair';

const MAX_SKEW_MS = 300_000;

/** HeyGen has changed the name of its header twice; the first that is there counts, and no other is tried after it. */
const signatureHeaders = ['heygen-signature', 'signature', 'x-heygen-signature'];

type Holders = readonly [HeygenConnection, ...HeygenConnection[]];

/** A HeyGen callback whose sender was checked. Only its own ways make one. */
export class VerifiedCallback {
  private constructor(
    readonly body: Buffer,
    /** Of the body, SHA-256 in hex. */
    readonly digest: string,
    /** Whose secret or token it came with: one, unless an account is declared more than once. */
    readonly connections: Holders,
    /** Whether its content is HeyGen's own; what came with a token alone is a claim. */
    readonly isSigned: boolean,
    /** HeyGen's own id, the same on each of its retries; only of what is signed. */
    readonly eventId: string | undefined,
    /** What was checked, as it is noted on the record: scheme, the unsigned time if there was one, digest of the body. */
    readonly evidence: string,
  ) {}

  /**
   * Checks an HMAC-SHA256 (hex, `sha256=` before it or not) over the raw body, keyed by a secret as HeyGen gave it, of
   * any connection. A timestamp must be within 5 minutes of `now` (epoch milliseconds) where there is one; it is not
   * signed, so it stops late deliveries, not forgers. Throws a 401 problem that tells a forger nothing.
   */
  static verify({ headers, body }: InboundRequest, connections: readonly HeygenConnection[], now: number) {
    const signature = signatureHeaders.map((name) => headers[name]).find((value) => value !== undefined);
    const timestamp = headers['heygen-timestamp'];
    if (!signature) throw new Problem('signature-missing');
    if (timestamp !== undefined && !isFresh(timestamp, now)) throw new Problem('timestamp-stale');
    const given = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(signature)?.[1]?.toLowerCase();
    const holders = holdersOf(connections, 'heygen-hmac', ({ secrets }) =>
      fittingSecret(given ? [given] : [], secrets(), (secret) =>
        createHmac('sha256', hmacKey(secret)).update(body).digest('hex'),
      ),
    );
    if (!holders) throw new Problem('signature-mismatch');
    const digest = digestOf(body);
    const evidence = `heygen-hmac at ${timestamp ?? 'no time'} sha256:${digest}`;
    return new VerifiedCallback(body, digest, holders, true, headers['heygen-event-id'], evidence);
  }

  /**
   * What HeyGen itself says, asked with the key of the account, that it has sent: as good as signed, under the id that its
   * delivery had. Undefined where no connection could take it.
   */
  static told({ id, type, data }: SentEvent, [first, ...others]: readonly HeygenConnection[]) {
    if (!first) return undefined;
    const body = Buffer.from(JSON.stringify({ event_type: type, event_data: data }));
    const digest = digestOf(body);
    return new VerifiedCallback(body, digest, [first, ...others], true, id, `heygen-history sha256:${digest}`);
  }

  /** Checks the token of an unsigned callback's address; throws the 404 of an address where nothing is. */
  static claim({ body }: InboundRequest, token: string, connections: readonly HeygenConnection[]) {
    const holders = holdersOf(
      connections,
      'heygen-token',
      ({ tokens }) => tokens && fittingSecret([token], tokens(), (expected) => expected.toString()),
    );
    if (!holders) throw new Problem('not-found');
    const digest = digestOf(body);
    return new VerifiedCallback(body, digest, holders, false, undefined, `heygen-token unconfirmed sha256:${digest}`);
  }
}

/** Every connection is tried, whichever fits. */
function holdersOf(
  connections: readonly HeygenConnection[],
  scheme: string,
  secretOf: (connection: HeygenConnection) => ReturnType<typeof fittingSecret>,
): Holders | undefined {
  const [first, ...others] = connections.filter((connection) => {
    const secret = secretOf(connection);
    if (secret) countSecret(nameOf('heygen', connection), scheme, secret);
    return secret !== undefined;
  });
  return first && [first, ...others];
}

const isFresh = (timestamp: string, now: number): boolean =>
  /^\d{10}$/.test(timestamp) && Math.abs(now - Number(timestamp) * 1_000) <= MAX_SKEW_MS;

const digestOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
