import { z } from 'zod';

/**
 * What a chain gives way to (protocol 18): `backfill` to everything else; `batch` too, and what its calls ask for may take a
 * day where that costs less.
 */
export const chainLane = z.enum(['backfill', 'batch']);
export type ChainLane = z.infer<typeof chainLane>;

/**
 * The CloudEvents 1.0 attributes of every record on a topic, carried in Kafka binary mode as `ce_*` headers
 * (https://github.com/cloudevents/spec, Kafka protocol binding). `time` is RFC 3339.
 */
export const envelopeSchema = z.object({
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().min(1),
  time: z.iso.datetime({ offset: true }),
  tenant: z.string().min(1),
  /** Id of the first accepted record of the chain: the root cause. */
  correlationid: z.string().min(1),
  /** Id of the record or effect that led to this one. */
  causationid: z.string().min(1).optional(),
  replayid: z.string().min(1).optional(),
  /** What follows gives way to everything else (protocol 18). */
  lane: chainLane.optional(),
  /** W3C trace context. */
  traceparent: z.string().optional(),
});

export type Envelope = z.infer<typeof envelopeSchema>;

/** Header of an ingress record: how the gateway knew who sent it, and the digest of the whole body that was signed. */
export const VERIFIED = 'refrain_verified';
