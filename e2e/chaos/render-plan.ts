import { type FaultBody, type PlannedFault, type Callbacks, planFaults } from './fault-plan';
import { batched, DAYS_AGO, MINUTE, type Plan, type PlannedContact, type Timed, TOO_LATE_MS } from './plan';
import { Chances } from './random';

const ALWAYS = 10_000;

/** A run of so many triggers that each deserve a video of their own, with faults at every step of a render. */
export function renderPlanOf(seed: number, triggers: number, overMs: number): Plan {
  const chances = new Chances(seed);
  const contacts: PlannedContact[] = [];
  const timed: Timed[] = [];
  for (let due = 0; due < triggers;) {
    const contact = contactOf(contacts.length, chances);
    const two = contact.wants === 'videos' && due + 2 <= triggers && chances.happens(0.12);
    contacts.push(contact);
    timed.push(...eventsOf(contact, two, chances));
    due += two ? 2 : 1;
  }
  timed.sort((a, b) => a.at - b.at);
  const events = timed.map(({ event }) => event);
  const forged = contacts
    .filter(() => chances.happens(0.05))
    .map(({ index }) => ({ contact: index, at: chances.next() }));
  const faults = [...planFaults(chances, overMs), ...planRenderFaults(chances, overMs)].sort((a, b) => a.atMs - b.atMs);
  return { seed, contacts, posts: batched(events, chances), forged, faults, overMs };
}

function contactOf(index: number, chances: Chances): PlannedContact {
  const about = { index, firstname: chances.pick(['Maria', 'Jonas', 'Aylin', 'Noor']), placeholder: false };
  const inHubspot = chances.happens(0.05);
  const fails = chances.happens(0.06) ? chances.pick(FAILURES) : undefined;
  if (fails) return { ...about, inHubspot, callFaults: [], ...fails };
  const callFaults = chances.happens(0.3) ? [chances.pick(ORDER_FAULTS)] : [];
  if (chances.happens(0.08)) callFaults.push(chances.pick(HUBSPOT_FAULTS));
  const breaks = chances.happens(0.08) ? { code: chances.pick(BROKEN), times: chances.between(1, 2) } : undefined;
  return { ...about, inHubspot, callFaults, wants: 'videos', ...(breaks ? { renderFault: breaks } : {}) };
}

type Fault = PlannedContact['callFaults'][number];
const status = (code: number, name?: string): Fault['fault'] => ({
  kind: 'status',
  status: code,
  ...(name === undefined ? {} : { code: name }),
});

/** Before and after HeyGen has taken the order: without an answer, cut, late, and refused. */
const ORDER_FAULTS: Fault[] = [
  { kind: 'hang' },
  { kind: 'accept-then-hang' },
  { kind: 'reset' },
  { kind: 'accept-then-reset' },
  { kind: 'delay', delayMs: TOO_LATE_MS.heygen },
  { kind: 'delay', delayMs: 2_000 },
  status(429, 'rate_limit_exceeded'),
  status(500, 'internal_error'),
  status(503, 'service_unavailable'),
  status(504, 'gateway_timeout'),
  { kind: 'html' },
].map((fault) => ({ vendor: 'heygen', fault }));

const HUBSPOT_FAULTS: Fault[] = [
  { kind: 'hang' },
  { kind: 'accept-then-hang' },
  { kind: 'reset' },
  { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  status(503),
].map((fault) => ({ vendor: 'hubspot', fault }));

const BROKEN = ['internal_error', 'service_unavailable', '5000'];

const refusedAtOrder = (http: number, code: string): Pick<PlannedContact, 'callFaults' | 'wants'> => ({
  callFaults: [{ vendor: 'heygen', fault: status(http, code), times: ALWAYS }],
  wants: { failed: code },
});
const failsAtEnd = (code: string): Partial<PlannedContact> => ({ renderFault: { code }, wants: { failed: code } });

/** What ends without a video by plan. */
const FAILURES: Partial<PlannedContact>[] = [
  refusedAtOrder(429, 'quota_exceeded'),
  refusedAtOrder(400, 'invalid_parameter'),
  failsAtEnd('content_policy_violation'),
  failsAtEnd('internal_error'),
];

/** One trigger, or one now and one of three days ago; of each change perhaps several tellings. */
function eventsOf({ index, inHubspot }: PlannedContact, two: boolean, chances: Chances): Timed[] {
  const event = (over: Partial<Timed['event']> = {}): Timed => ({
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
  const first = inHubspot ? [] : [event()];
  const events = [...first];
  if (two) events.push(event({ ageMs: DAYS_AGO + chances.between(0, 30 * MINUTE) }));
  for (const { event: same, at } of first)
    if (chances.happens(0.2)) events.push({ event: same, at: chances.happens(0.5) ? at : chances.next() });
  if (chances.happens(0.25)) events.push(event({ kind: 'workflow' }));
  if (chances.happens(0.15)) events.push(event({ trigger: false }));
  return events;
}

const CALLBACKS: Partial<Callbacks>[] = [
  { early: true },
  { early: true, duplicate: 1 },
  { duplicate: 2 },
  { lost: 2 },
  { lost: 3, duplicate: 1 },
  { lateMs: 3_000 },
  { lateMs: 800 },
  { signature: 'wrong-secret' },
  { signature: 'stale' },
  {},
];
const CALLBACKS_MS = 2_500;
const ROUND_MS = 30_000;

// Callbacks change their ways all the time: what was sent late comes after what was sent at once later.
function planRenderFaults(chances: Chances, overMs: number): PlannedFault[] {
  const eachMs = Math.min(CALLBACKS_MS, overMs / CALLBACKS.length);
  const ways: PlannedFault[] = Array.from({ length: Math.floor(overMs / eachMs) }, (_, i) => ({
    kind: 'callbacks',
    how: CALLBACKS[i] ?? chances.pick(CALLBACKS),
    atMs: i * eachMs,
  }));
  const rounds = Math.max(1, Math.round(overMs / ROUND_MS));
  const others = Array.from({ length: rounds }, (): FaultBody[] => [
    { kind: 'no-credit', creditFailure: 'submit', forMs: chances.between(1_000, 4_000) },
    { kind: 'no-credit', creditFailure: 'render', forMs: chances.between(1_000, 4_000) },
    { kind: 'crowded', concurrency: chances.between(1, 4), forMs: chances.between(1_000, 4_000) },
    { kind: 'calls', vendor: 'heygen', pathPrefix: '/v3/videos', fault: status(503), times: chances.between(1, 3) },
    { kind: 'calls', vendor: 'heygen', pathPrefix: '/v3/videos', fault: { kind: 'reset' }, times: 1 },
    ...(['reset', 'accept-then-reset', 'accept-then-hang'] as const).map((kind): FaultBody => ({
      kind: 'calls',
      vendor: 'hubspot',
      pathPrefix: BATCH,
      fault: { kind },
      times: 1,
    })),
  ]).flat();
  return [...ways, ...others.map((fault) => ({ ...fault, atMs: Math.round(chances.next() * overMs) }))];
}

const BATCH = '/crm/objects/2026-09/0-1/batch/update';
