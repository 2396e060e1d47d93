import { Chances } from './random';
import { type PlannedFault, planFaults } from './fault-plan';

/** A contact of the run. `index` stands for the id that HubSpot will give it. */
export interface PlannedContact {
  index: number;
  firstname: string;
  /** Its name makes no video. */
  placeholder: boolean;
  /** A person changes it in HubSpot, which then sends the webhook by itself. */
  inHubspot: boolean;
  callFaults: PlannedCallFault[];
  /** How HeyGen's renders of it end; `times` of them, or all. */
  renderFault?: { code: string; times?: number };
  /** What must come of it, where the plan alone decides that. */
  wants?: Wanted;
}

/** A video for each trigger, or none and this code. */
export type Wanted = 'videos' | { failed: string };

/** What a vendor's sandbox is to do to the next call about the contact. */
export interface PlannedCallFault {
  vendor: 'hubspot' | 'heygen' | 'openai';
  fault: { kind: string; status?: number; code?: string; delayMs?: number; headers?: Record<string, string> };
  /** How many calls in turn; one where absent. */
  times?: number;
}

/** One event that HubSpot will send of a contact, perhaps several times. */
export interface PlannedEvent {
  contact: number;
  kind: 'webhook' | 'workflow';
  trigger: boolean;
  eventId: number;
  /** Its own time, in milliseconds before the run begins. */
  ageMs: number;
}

/** One request to the gateway: events of an array, or one workflow call. */
export interface PlannedPost {
  events: PlannedEvent[];
  replica: 1 | 2;
}

export interface Plan {
  seed: number;
  contacts: PlannedContact[];
  posts: PlannedPost[];
  /** Callbacks that HeyGen never sent: of these contacts, at these times from 0 to 1 of the run. */
  forged?: { contact: number; at: number }[];
  faults: PlannedFault[];
  overMs: number;
}

/** Everything of a run that can be decided beforehand, from the seed alone. `webhooks` counts events. */
export function planOf(seed: number, webhooks: number, overMs: number): Plan {
  const chances = new Chances(seed);
  const contacts = Array.from({ length: Math.ceil(webhooks / 4) }, (_, index) => contactOf(index, chances));
  const timed = contacts.flatMap((contact) => eventsOf(contact, chances));
  while (timed.length < webhooks) {
    const { event, at } = chances.pick(timed);
    timed.push({ event, at: chances.happens(0.5) ? at : chances.next() }); // sent again, at once or later
  }
  timed.sort((a, b) => a.at - b.at);
  const posts = batched(
    timed.map(({ event }) => event),
    chances,
  );
  return { seed, contacts, posts, faults: planFaults(chances, overMs), overMs };
}

function contactOf(index: number, chances: Chances): PlannedContact {
  const placeholder = chances.happens(0.06);
  return {
    index,
    firstname: placeholder ? chances.pick(['N/A', 'test', ' ']) : chances.pick(['Maria', 'Jonas', 'Aylin', 'Noor']),
    placeholder,
    inHubspot: chances.happens(0.05),
    callFaults: chances.happens(0.16) ? [callFaultOf(chances)] : [],
  };
}

// Longer than the deadlines: HeyGen's is 10 s, HubSpot's 8 s, OpenAI's 5 s by the setting of the run.
export const TOO_LATE_MS = { hubspot: 9_000, heygen: 11_000, openai: 6_000 };

function callFaultOf(chances: Chances): PlannedCallFault {
  const vendor = chances.pick(['hubspot', 'heygen', 'openai'] as const);
  const fault = chances.pick([
    { kind: 'hang' },
    { kind: 'accept-then-hang' },
    { kind: 'reset' },
    { kind: 'delay', delayMs: TOO_LATE_MS[vendor] },
    { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
    { kind: 'status', status: 503 },
  ]);
  return { vendor, fault };
}

export interface Timed {
  event: PlannedEvent;
  /** When it is sent, from 0 to 1 of the run. */
  at: number;
}

export const MINUTE = 60_000;
export const DAYS_AGO = 3 * 24 * 60 * MINUTE;

function eventsOf({ index, inHubspot }: PlannedContact, chances: Chances): Timed[] {
  const event = (over: Partial<PlannedEvent>): Timed => ({
    at: chances.next(),
    event: {
      contact: index,
      kind: 'webhook',
      trigger: true,
      eventId: chances.between(1, 2 ** 31),
      ageMs: chances.between(0, 30 * MINUTE),
      ...over,
    },
  });
  const events = inHubspot ? [] : [event({})];
  if (chances.happens(0.3)) events.push(event({}));
  if (chances.happens(0.15)) events.push(event({ ageMs: DAYS_AGO + chances.between(0, 30 * MINUTE) }));
  if (chances.happens(0.25)) events.push(event({ kind: 'workflow' }));
  if (chances.happens(0.4)) events.push(event({ trigger: false }));
  if (chances.happens(0.3)) events.push(event({ trigger: false }));
  return events;
}

/** Puts events into requests, in their order. */
export function batched(events: PlannedEvent[], chances: Chances): PlannedPost[] {
  const posts: PlannedPost[] = [];
  const replica = () => chances.pick([1, 2] as const);
  let batch: PlannedEvent[] = [];
  let size = chances.between(1, 20);
  const flush = () => {
    if (batch.length > 0) posts.push({ events: batch, replica: replica() });
    batch = [];
    size = chances.happens(0.5) ? chances.between(1, 3) : chances.between(1, 20);
  };
  for (const event of events) {
    if (event.kind === 'workflow') posts.push({ events: [event], replica: replica() });
    else if (batch.push(event) >= size) flush();
  }
  flush();
  return posts;
}
