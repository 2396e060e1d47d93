import type { RawRecord } from '../testing/topics';
import type { Call, Vendor } from '../testing/vendors';
import type { Wanted } from './plan';

/** One event that was sent to the gateway, in one or more requests. */
export interface SentEvent {
  /** Exactly as sent; of an array, the element. */
  bytes: string;
  contact: string;
  /** Whether it asks for a video and a score. */
  trigger: boolean;
  /** Its own time; of a workflow call, which has none, when it was sent. Milliseconds. */
  at: number;
  /** How many requests with it were answered with success. */
  accepted: number;
}

export interface ContactSeen {
  id: string;
  /** Stands in every question about the contact, and in no other. */
  lastname: string;
  /** What must come of it, where the plan alone decides that. */
  wants?: Wanted;
  /** As HubSpot has them at the end. */
  properties: Record<string, string | null>;
}

/** A fault that was done to the hub: to these services, or to all where none is named. Milliseconds. */
export interface Disturbance {
  what: string;
  service?: string;
  from: number;
  to: number;
}

export interface BilledRender {
  id: string;
  callbackId: string;
  idempotencyKey: string;
  status: string;
  /** It failed: what was charged for it was given back. */
  refunded: boolean;
}

/** All that the checker knows: what was sent and accepted, what the vendors saw, and the bytes on the topics. */
export interface Evidence {
  sent: SentEvent[];
  contacts: ContactSeen[];
  calls: Record<Vendor, Call[]>;
  billedRenders: BilledRender[];
  records: readonly RawRecord[];
  disturbances: Disturbance[];
}

/** Something that must not be. */
export interface Finding {
  rule: string;
  contact?: string;
  detail: string;
}

/** One rule over all evidence. */
export type Rule = (evidence: Evidence) => Finding[];
