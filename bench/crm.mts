// What crm-writer's writes cost of HubSpot's limits: how much of a limit two replicas make use of where each call stands
// alone, and how many calls 10,000 changes need. `--records N` asks for N calls, and as many changes as 5 N / 3.
import { setTimeout as pause } from 'node:timers/promises';
import { Topic } from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import { changeOf, contactsOf, recordOf } from './support/crm.mts';
import { type Call, place, type Place } from './support/place.mts';
import type { Figure } from '../scripts/bench/main.mts';

const CALLS = 3_000;
const MOST = 100;
const WINDOW_S = 10;
const CHANGES_A_CALL = 10 / 3;
const CHANGES_A_RECORD = 2;

type Crm = Place<'hubspot'>;

/** Measures both before one sandbox each. */
export async function suite(
  infra: { kafkaBrokers: string; databaseUrl: string },
  figure: (f: Figure) => void,
  { records = CALLS }: { records?: number } = {},
): Promise<void> {
  for (const measure of [alone, together]) {
    const at = await place(infra, {
      vendors: ['hubspot'],
      services: { 'crm-writer': 2 },
      settings: { HUBSPOT_PER_TEN_SECONDS: String(MOST) },
      recipes: 'bench/crm/recipes',
    });
    try {
      await at.sandboxes.hubspot.control('PUT', '/rate-limit', { perTenSeconds: MOST });
      figure(await measure(at, records));
    } finally {
      await at.stop();
    }
  }
}

async function alone(at: Crm, calls: number): Promise<Figure> {
  const contacts = await contactsOf(at.sandboxes.hubspot, Math.min(calls, 500));
  await at.sandboxes.hubspot.control('DELETE', '/calls');
  await at.publish(Array.from({ length: calls }, (_, i) => newJob(contacts[i % contacts.length] ?? '', i)));
  const made = await settled(at, (seen) => seen.filter(isTask).length >= calls);
  const times = made.filter(isTask).map(({ at: time }) => Date.parse(time));
  const took = (Math.max(...times) - Math.min(...times)) / 1_000;
  const least = (calls / MOST) * WINDOW_S;
  const refused = made.filter(({ status }) => status === 429).length;
  const ratio = took / least;
  return {
    suite: 'crm',
    name: 'calls that stand alone, two replicas',
    value: Number(took.toFixed(1)),
    unit: 's',
    against: `${times.length} calls at ${MOST} in ${WINDOW_S} s take ${least} s at least; refused by the limit: ${refused}`,
    ratio: Number(ratio.toFixed(3)),
    target: '<= 1.05, none refused',
    ok: ratio <= 1.05 && refused === 0 && times.length === calls,
  };
}

async function together(at: Crm, calls: number): Promise<Figure> {
  const changes = Math.round(calls * CHANGES_A_CALL);
  const contacts = await contactsOf(at.sandboxes.hubspot, changes / CHANGES_A_RECORD);
  await at.sandboxes.hubspot.control('DELETE', '/calls');
  const begun = Date.now();
  for (const state of ['submitted', 'completed'] as const)
    await at.publish(contacts.map((contact) => renderOf(contact, state)));
  const isDone = ({ last, back }: Stood) => last === 'COMPLETED' && !back;
  const made = await settled(at, async () => (await statesOf(at)).every(isDone));
  const late = (await statesOf(at)).filter((one) => !isDone(one)).length;
  const seconds = (Date.parse(made.at(-1)?.at ?? '') - begun) / 1_000;
  const ratio = made.length / changes;
  return {
    suite: 'crm',
    name: 'calls for a change',
    value: made.length,
    unit: 'calls',
    against: `${changes} changes of ${contacts.length} records, in ${seconds.toFixed(1)} s; not applied or out of order: ${late}; refused: ${made.filter(({ status }) => status !== 200).length}`,
    ratio: Number(ratio.toFixed(4)),
    target: '<= 0.02, all applied, in order',
    ok: ratio <= 0.02 && late === 0,
  };
}

const isTask = ({ method, path, status }: Call): boolean =>
  method === 'POST' && /\/tasks$/.test(path) && status === 201;

const STANDSTILL_MS = 60_000;
const QUIET_MS = 3_000;

/** Waits until it holds of the sandbox's call log, asked whenever that is quiet; ends at a standstill in any case. */
async function settled(at: Crm, holds: (calls: Call[]) => boolean | Promise<boolean>): Promise<Call[]> {
  let [seen, since] = [0, Date.now()];
  for (;;) {
    const calls = await at.sandboxes.hubspot.calls();
    if (calls.length > seen) [seen, since] = [calls.length, Date.now()];
    const quiet = Date.now() - since;
    if (quiet > STANDSTILL_MS || (quiet > QUIET_MS && (await holds(calls)))) return calls;
    await pause(500);
  }
}

interface Stood {
  last?: string;
  /** Whether a state was ever followed by an earlier one. */
  back: boolean;
}

interface Shown {
  objects: { id: string; properties: Record<string, string>; history: Record<string, { value: string }[]> }[];
}

async function statesOf(at: Crm): Promise<Stood[]> {
  const { objects } = await at.sandboxes.hubspot.control<Shown>('GET', '/objects/contacts');
  return objects.map(({ properties, history }) => {
    const values = (history['heygen_render_status'] ?? []).map(({ value }) => value).reverse();
    const last = properties['heygen_render_status'];
    const back = values.includes('COMPLETED') && values.indexOf('COMPLETED') < values.lastIndexOf('PENDING');
    return { ...(last === undefined ? {} : { last }), back };
  });
}

const begun = Date.parse('2026-11-20T12:00:00.000Z');

// Two days apart where they are about one contact: each stands for itself.
const newJob = (contact: string, number: number): OutgoingRecord =>
  changeOf(contact, number, { property: 'jobtitle', value: `Engineer ${number}` }, begun + number * 400_000);

function renderOf(contact: string, state: 'submitted' | 'completed'): OutgoingRecord {
  const about = { recipe: 'bench', recipeVersion: '1', render: 1, triggeredAt: new Date(begun).toISOString() };
  const ends = { submitted: { generation: 1 }, completed: { url: 'https://video.example/v.mp4' } };
  const type = `refrain.render.${state}.v1`;
  const data = { ...about, ...ends[state], videoId: `video-${contact}` };
  return recordOf(Topic.render, type, `${state}-${contact}`, contact, data, begun + 1_000);
}
