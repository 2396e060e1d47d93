// What videos cost of HeyGen's time: how busy two replicas of render-service keep an account that makes 20 videos of 2 s at
// once, and how soon a video stands on its contact. HeyGen's and HubSpot's stand-ins are the judges. `--records N` asks for
// N videos.
import { changeOf, contactsOf } from './support/crm.mts';
import { earliest } from './render/ideal-limiter.mts';
import { type Call, place, type Place } from './support/place.mts';
import { untilDone } from './support/progress.mts';
import type { Figure } from '../scripts/bench/main.mts';

const VIDEOS = 2_000;
const AT_ONCE = 20;
const VIDEO_S = 2;
/** Calls in ten seconds of a Professional account. */
const HUBSPOT = { most: 190, windowMs: 10_000 };

type Both = Place<'hubspot' | 'heygen'>;

/** Orders all videos at once, and measures when everything stands in HubSpot. */
export async function suite(
  infra: { kafkaBrokers: string; databaseUrl: string },
  figure: (f: Figure) => void,
  { records: videos = VIDEOS }: { records?: number } = {},
): Promise<void> {
  const at = await place(infra, {
    vendors: ['hubspot', 'heygen'],
    services: { gateway: 1, 'render-service': 2, 'crm-writer': 2 },
    settings: {
      HEYGEN_JOBS: String(AT_ONCE),
      HUBSPOT_PER_TEN_SECONDS: String(HUBSPOT.most),
      RENDER_MS: String(VIDEO_S * 1_000),
    },
    recipes: 'bench/render/recipes',
  });
  try {
    const { hubspot, heygen } = at.sandboxes;
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: HUBSPOT.most });
    await heygen.control('PUT', '/settings', { concurrency: AT_ONCE, walletUsd: videos });
    const contacts = await contactsOf(hubspot, videos);
    await hubspot.control('DELETE', '/calls');
    const changed = { property: 'lifecyclestage', value: 'marketingqualifiedlead' };
    await at.publish(contacts.map((contact, i) => changeOf(contact, i, changed, Date.now())));
    for (const one of await measured(at, videos)) figure(one);
  } finally {
    await at.stop();
  }
}

async function measured(at: Both, videos: number): Promise<Figure[]> {
  const { hubspot, heygen } = at.sandboxes;
  await allShown(at, videos);
  const orders = (await heygen.calls()).filter(
    ({ method, path }) => method === 'POST' && path.startsWith('/v3/templates/'),
  );
  const accepted = orders.filter(({ billed }) => billed).map((call) => Date.parse(call.at));
  const told = await callbacksOf(at);
  const { count } = await heygen.control<{ count: number }>('GET', '/billing');
  const took = (Math.max(...told.values()) - Math.min(...accepted)) / 1_000;
  const least = (videos / AT_ONCE) * VIDEO_S;
  const busy = least / took;
  const refused = orders.filter(({ status }) => status === 429).length;
  const calls = await hubspot.calls();
  const waits = waitsOf(calls, told);
  const late = p95(waits.map(({ own }) => own));
  return [
    {
      suite: 'render',
      name: 'HeyGen kept busy, two replicas',
      value: Number(took.toFixed(1)),
      unit: 's',
      against: `${videos} videos of ${VIDEO_S} s, ${AT_ONCE} at once, take ${least} s at least`,
      ratio: Number(busy.toFixed(3)),
      target: '>= 0.95',
      ok: busy >= 0.95,
    },
    {
      suite: 'render',
      name: 'billed videos',
      value: count,
      unit: 'videos',
      against: `${videos} triggers`,
      ratio: count / videos,
      target: '= 1',
      ok: count === videos,
    },
    {
      suite: 'render',
      name: 'orders that HeyGen turned away for its limit',
      value: refused,
      unit: 'answers of 429',
      against: `${orders.length} orders`,
      ratio: refused / orders.length,
      target: '= 0',
      ok: refused === 0,
    },
    {
      suite: 'render',
      name: 'callback to COMPLETED on the contact, p95, without the wait for HubSpot’s limit',
      value: Number((late / 1_000).toFixed(2)),
      unit: 's',
      against: `with that wait ${(p95(waits.map(({ all }) => all)) / 1_000).toFixed(2)} s; ${waits.length} contacts, ${calls.length} calls at ${HUBSPOT.most} in ten seconds`,
      ratio: Number((late / 2_000).toFixed(3)),
      target: '<= 1 (2 s)',
      ok: late <= 2_000 && waits.length === videos,
    },
  ];
}

const LOOK_WHILE_MAKING_MS = 20_000;

interface Shown {
  objects: { properties: Record<string, string> }[];
}

/**
 * Waits until all contacts show their videos, or nothing moves any more. All contacts are looked at seldom while videos are in the
 * making: reading them takes of the time that is measured.
 */
async function allShown(at: Both, videos: number): Promise<void> {
  let [shown, looked] = [0, 0];
  await untilDone(async () => {
    const { billed, running } = await at.sandboxes.heygen.control<{ billed: number; running: number }>('GET', '/state');
    const isMaking = billed < videos || running > 0;
    if (!isMaking || Date.now() - looked > LOOK_WHILE_MAKING_MS) {
      const { objects } = await at.sandboxes.hubspot.control<Shown>('GET', '/objects/contacts');
      shown = objects.filter(({ properties }) => properties['heygen_render_status'] === 'COMPLETED').length;
      looked = Date.now();
    }
    const says = `${shown} of ${videos} shown, ${billed} ordered, ${running} in the making`;
    return { share: shown / videos, says, moved: billed + shown, isDone: shown === videos };
  });
}

interface Delivery {
  at: string;
  body: { event_data: { callback_id: string } };
}

/** When HeyGen first told of each contact's video, in milliseconds: it sends as soon as a video has ended. */
async function callbacksOf(at: Both): Promise<Map<string, number>> {
  const { deliveries } = await at.sandboxes.heygen.control<{ deliveries: Delivery[] }>('GET', '/deliveries');
  const told = new Map<string, number>();
  for (const { at: time, body } of deliveries) {
    const contact = /contact:(\d+):/.exec(body.event_data.callback_id)?.[1] ?? '';
    if (!told.has(contact)) told.set(contact, Date.parse(time));
  }
  return told;
}

/** From callback to the write that says COMPLETED: as it was, and without what an ideal limiter would have let it wait. */
function waitsOf(calls: Call[], told: Map<string, number>): { all: number; own: number }[] {
  const taken = calls.filter(({ status }) => status !== 429).map((call) => Date.parse(call.at));
  return calls.flatMap((call) =>
    completedIn(call).flatMap((contact) => {
      const from = told.get(contact);
      if (from === undefined) return [];
      const written = Date.parse(call.at) + (call.durationMs ?? 0);
      const others = [...taken];
      others.splice(others.indexOf(Date.parse(call.at)), 1);
      const ideal = earliest(from, others, HUBSPOT);
      return { all: written - from, own: written - Math.min(written, Math.max(from, ideal)) };
    }),
  );
}

interface Written {
  id: string;
  properties: Record<string, string>;
}

/** The contacts of which a call says that their video is there. */
function completedIn({ method, path, status, requestBody }: Call): string[] {
  if (status !== 200) return [];
  const one = method === 'PATCH' ? [{ id: path.split('/').at(-1) ?? '', ...(requestBody as Omit<Written, 'id'>) }] : [];
  const all = path.endsWith('/batch/update') ? (requestBody as { inputs: Written[] }).inputs : one;
  return all.filter(({ properties }) => properties['heygen_render_status'] === 'COMPLETED').map(({ id }) => id);
}

const p95 = (figures: number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * 0.95) - 1] ?? Number.NaN;
