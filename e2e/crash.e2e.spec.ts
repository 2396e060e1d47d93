import { Hub, type Service } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';
import type { Call, Vendor } from './testing/vendors';

/*
 * A call that a killed process had in hand is unknown once its lease has run out, and is looked at again one deadline
 * later: after 24 s for HubSpot (deadline 8 s, lease 16 s), 30 s for HeyGen (10, 20) and 45 s for OpenAI (15, 30).
 */
const WITHIN_MS = 60_000;
/** Each case may have to wait for the ones before it. */
jest.setTimeout(3 * WITHIN_MS);

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({ RENDER_MS: '1000' });
});
afterAll(() => hub?.stop());

/** One service at a time is away; what is then waited for overlaps. */
let previous: Promise<unknown> = Promise.resolve();
function alone<T>(work: () => Promise<T>): Promise<T> {
  const mine = previous.then(work);
  previous = mine.catch(() => undefined);
  return mine;
}

/** Kills a service and returns the time that is left for the job from then on. */
async function kill(service: Service): Promise<() => number> {
  const since = performance.now();
  await hub.kill(service);
  return () => WITHIN_MS - (performance.now() - since);
}

type Fault = 'accept-then-hang' | 'hang';

/** The next call of a vendor that fits gets no answer: it takes full effect, or none. */
const hang = (vendor: Vendor, kind: Fault, match: Record<string, string>) =>
  hub.control(vendor, 'POST', '/faults', { match, fault: { kind } });

const inFlight = (what: string, calls: () => Promise<Call[]>) =>
  until(what, async () => {
    const [call] = await calls();
    return call?.status === null;
  });

const keysOf = (orders: Call[]) => orders.map(({ idempotencyKey }) => idempotencyKey);

it.concurrent('ends a job whose OpenAI call was in flight when enrichment-service was killed', async () => {
  const { lead, left } = await alone(async () => {
    const lead = await Lead.make(hub);
    await hang('openai', 'accept-then-hang', { bodyIncludes: lead.lastname });
    await lead.qualify();
    await inFlight('a question', () => lead.questions());
    await lead.has({ heygen_render_status: 'COMPLETED' });
    return { lead, left: await kill('enrichment-service') };
  });
  const contact = await lead.done(left());
  expect(contact).toMatchObject({ lead_score: '59', ai_budget_estimate: '50000' });
  // OpenAI knows no idempotency key: the lost answer is asked for once more, and that is all.
  expect((await lead.questions()).map(({ billed }) => billed)).toEqual([true, true]);
  expect(await lead.outcome()).toMatchObject({ billedRenders: 1, pendingAgain: 0, completed: 1, scored: 1 });
});

it.concurrent('ends jobs whose HeyGen orders were in flight when render-service was killed', async () => {
  const { taken, lost, left } = await alone(async () => {
    const taken = await Lead.make(hub);
    const lost = await Lead.make(hub);
    await hang('heygen', 'accept-then-hang', { bodyIncludes: `contact:${taken.id}:` });
    await hang('heygen', 'hang', { bodyIncludes: `contact:${lost.id}:` });
    for (const lead of [taken, lost]) {
      await lead.qualify();
      await lead.has({ lead_score: true });
      await inFlight('an order', () => lead.orders());
    }
    return { taken, lost, left: await kill('render-service') };
  });
  for (const lead of [taken, lost]) await lead.done(left());
  // The order that HeyGen took is looked for by its title, even where the callback has told the end: the ledger must know.
  const looksFor = (lead: Lead) => async () =>
    (await hub.calls('heygen')).some(
      ({ method, path, query }) =>
        method === 'GET' && path === '/v3/videos' && (query?.['title'] ?? '').includes(`contact:${lead.id}:`),
    );
  await until('the order is looked for', looksFor(taken), left());
  expect((await taken.orders()).map(({ billed }) => billed)).toEqual([true]);
  // The one that it did not take is not found, and repeated under its key.
  const orders = await until(
    'the repeated order',
    async () => {
      const orders = await lost.orders();
      return orders.length === 2 && orders[1]?.status === 200 && orders;
    },
    left(),
  );
  const [key, again] = keysOf(orders);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(again).toBe(key);
  for (const lead of [taken, lost])
    expect(await lead.outcome()).toMatchObject({ billedRenders: 1, billedQuestions: 1, completed: 1, scored: 1 });
});

it.concurrent('ends a job whose HubSpot write was in flight when crm-writer was killed', async () => {
  const { lead, left } = await alone(async () => {
    const lead = await Lead.make(hub);
    await hang('hubspot', 'accept-then-hang', { method: 'PATCH', pathPrefix: `/crm/objects/2026-09/0-1/${lead.id}` });
    await lead.qualify();
    await inFlight('a write', () => lead.patches());
    return { lead, left: await kill('crm-writer') };
  });
  await lead.done(left());
  const [cut, next] = await lead.patches();
  expect([cut?.status, next?.requestBody]).toEqual([null, cut?.requestBody]);
  expect(await lead.outcome()).toMatchObject({ billedRenders: 1, billedQuestions: 1, completed: 1 });
});

it.concurrent('ends a job whose webhook the gateway had accepted when it was killed', async () => {
  const { lead, left } = await alone(async () => {
    const lead = await Lead.make(hub);
    expect((await hub.post(`[${lead.change()}]`)).status).toBe(200);
    return { lead, left: await kill('gateway') };
  });
  await lead.done(left());
  expect(await lead.outcome()).toMatchObject({ billedRenders: 1, billedQuestions: 1, completed: 1, scored: 1 });
});

it.concurrent('ends a job whose webhook requests were in flight when the gateway was killed', async () => {
  const { lead, left } = await alone(async () => {
    const lead = await Lead.make(hub);
    const body = `[${lead.change()}]`;
    // Forty post the same until nobody answers any more: when the gateway dies, some requests have been answered, some
    // are on their way to the broker, some have not been read.
    let answered = 0;
    const post = async (): Promise<void> => {
      for (;;) answered += (await hub.post(body)).status === 200 ? 1 : 0;
    };
    const posters = Promise.allSettled(Array.from({ length: 40 }, post));
    await until('an answered request', () => answered > 0);
    hub.child('gateway').signal('SIGKILL');
    await posters;
    const left = await kill('gateway');
    // HubSpot sends again what was not answered; before the next case takes the gateway away.
    expect((await hub.post(body)).status).toBe(200);
    return { lead, left };
  });
  await lead.done(left());
  expect(await lead.outcome()).toMatchObject({ billedRenders: 1, billedQuestions: 1, completed: 1, scored: 1 });
});

it.concurrent('loses no webhook that reached a gateway which could not answer any more', async () => {
  const { lead, left } = await alone(async () => {
    const lead = await Lead.make(hub);
    const gateway = hub.child('gateway');
    gateway.signal('SIGSTOP');
    await lead.qualify();
    await until('a webhook on its way', async () => {
      const { deliveries } = await hub.control<{ deliveries: { state: string }[] }>('hubspot', 'GET', '/deliveries');
      return deliveries.some(({ state }) => state === 'sending');
    });
    return { lead, left: await kill('gateway') };
  });
  await lead.done(left());
  expect(await lead.outcome()).toMatchObject({ billedRenders: 1, billedQuestions: 1, completed: 1, scored: 1 });
});
