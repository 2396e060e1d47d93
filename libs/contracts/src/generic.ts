import { z } from 'zod';
import { VERIFIED } from './envelope';

/** Wire type of a record on `ingress.generic.v1`; its value is the bytes that a declared endpoint received. */
export const GENERIC_RECEIVED = 'refrain.generic-event.received.v1';

/** Header of a generic record: the sender's own name for what happened, where the endpoint says how to find it. */
export const EVENT_TYPE = 'refrain_event_type';

/** Header of a generic record: the endpoint that received it. */
export const ENDPOINT = 'refrain_endpoint';

/** Header of a generic record: what the sender said its body is; an endpoint may take other things than JSON. */
export const CONTENT_TYPE = 'refrain_content_type';

/** The headers of a generic record beside those of its envelope. */
export const genericHeaders = z.object({
  [ENDPOINT]: z.string().describe('Name of the endpoint that received it'),
  [EVENT_TYPE]: z.string().optional().describe("The sender's name for what happened"),
  [CONTENT_TYPE]: z.string().optional().describe('What the sender said its body is'),
  [VERIFIED]: z.string().describe('What was checked of its sender, and the digest of the body'),
});
