import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({ HEYGEN_RETRY_AFTER: '1s' });
});
afterAll(() => hub?.stop());

const outreach = { first_name: 'text', company: 'text', recent_event: 'text' };
const template = (variables: Record<string, string>) =>
  hub.control('heygen', 'POST', '/templates', { id: 'demo-outreach', name: 'Outreach', variables });
const wallet = (walletUsd: number, creditFailure = 'submit') =>
  hub.control('heygen', 'PUT', '/settings', { walletUsd, creditFailure });
afterEach(async () => {
  await hub.control('heygen', 'DELETE', '/render-outcomes');
  await wallet(1_000);
});

async function qualified(lead: Lead): Promise<Lead> {
  expect((await hub.post(`[${lead.change()}]`)).status).toBe(200);
  return lead;
}

const fails = (lead: Lead, code: string, times?: number) =>
  hub.control('heygen', 'POST', '/render-outcomes', {
    match: { title: `contact:${lead.id}:` },
    outcome: 'fail',
    code,
    message: 'as planned',
    ...(times === undefined ? {} : { times }),
  });

interface Charged {
  callbackId: string;
  idempotencyKey: string;
  refunded: boolean;
}

/** The contact's renders that HeyGen charged, and did not give back; and all that it took and had the money for. */
async function billing(lead: Lead) {
  const { renders } = await hub.control<{ renders: Charged[] }>('heygen', 'GET', '/billing');
  const own = renders.filter(({ callbackId }) => callbackId.includes(`contact:${lead.id}:`));
  return {
    charged: own.filter(({ refunded }) => !refunded).length,
    keys: new Set(own.map((one) => one.idempotencyKey)).size,
  };
}

interface Made {
  callbackId: string;
  status: string;
}

/** HeyGen's renders of the contact, those too that nothing paid for. */
async function made(lead: Lead): Promise<Made[]> {
  const all = await hub.control<{ renders: Made[] }>('heygen', 'GET', '/renders');
  return all.renders.filter(({ callbackId }) => callbackId.includes(`contact:${lead.id}:`));
}

const renders = async (lead: Lead): Promise<string[]> => (await made(lead)).map(({ status }) => status);

/** Replays the change that made the contact a lead. */
async function replayed(lead: Lead): Promise<void> {
  const filter = `value.propertyName == "lifecyclestage" && value.objectId == ${lead.id}`;
  const of = ['--service', 'render-service', '--topic', 'ingress.hubspot.v1', '--filter', filter];
  const plan = await hub.refrain<{ replay: { id: string } }>('replay', ...of);
  await hub.refrain('replay', 'apply', plan.replay.id);
}

const told = (lead: Lead, type: string) =>
  lead
    .records('render.events.v1', `refrain.render.${type}.v1`)
    .map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>);
const lines = (text: string): number => hub.logs().split(text).length - 1;

describe('what would fail again', () => {
  it.each(['content_policy_violation', '4001'])('%s stops at once and costs nothing', async (code) => {
    const lead = await Lead.make(hub);
    await fails(lead, code);
    await qualified(lead);
    await lead.has({ heygen_render_status: 'FAILED', heygen_render_error: code });
    expect([await billing(lead), await renders(lead)]).toEqual([{ charged: 0, keys: 1 }, ['failed']]);
    await hub.caughtUp();
    expect(told(lead, 'failed')).toMatchObject([{ code, reason: 'as planned' }]);
  });

  it('invalid parameters stop at once, and the event names the variable', async () => {
    await template({ ...outreach, signature: 'text' });
    const lead = await qualified(await Lead.make(hub));
    await lead.has({ heygen_render_status: 'FAILED', heygen_render_error: 'invalid_parameter' });
    await template(outreach);
    await hub.caughtUp();
    expect(told(lead, 'failed')).toMatchObject([{ reason: expect.stringContaining('variables.signature') as string }]);
    expect([await renders(lead), (await lead.orders()).length]).toEqual([[], 1]);
  });
});

describe('HeyGen’s own fault', () => {
  it('twice is ordered again under fresh keys, and charged once', async () => {
    const lead = await Lead.make(hub);
    await fails(lead, 'internal_error', 2);
    await qualified(lead);
    await lead.done();
    expect(await billing(lead)).toEqual({ charged: 1, keys: 3 });
    await hub.caughtUp();
    expect(told(lead, 'postponed')).toMatchObject([{ generation: 1, waitsFor: 'retry' }, { generation: 2 }]);
    expect(await lead.writesOf('heygen_render_status', 'FAILED')).toBe(0);
  });

  it('a third time fails the render with its code', async () => {
    const lead = await Lead.make(hub);
    await fails(lead, '5000');
    await qualified(lead);
    await lead.has({ heygen_render_status: 'FAILED', heygen_render_error: '5000' });
    expect([await billing(lead), (await renders(lead)).length]).toEqual([{ charged: 0, keys: 3 }, 3]);
  });
});

describe('without credit', () => {
  it('at the submission all wait, with one call at a time, and go on by themselves', async () => {
    await wallet(0);
    const leads = await Promise.all([1, 2, 3, 4, 5].map(() => Lead.make(hub)));
    for (const lead of leads) await qualified(lead);
    const orders = async () => (await Promise.all(leads.map((lead) => lead.orders()))).flat();
    await until('HeyGen has refused a few orders', async () => (await orders()).length >= 9);
    // Behind the first ones, which met the empty wallet together, each call is a second behind the one before.
    const at = (await orders()).map((call) => Date.parse(String(call.at))).sort((a, b) => a - b);
    const gaps = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(gaps.slice(leads.length - 1).every((gap) => gap > 800)).toBe(true);
    expect(leads.flatMap((lead) => told(lead, 'failed'))).toEqual([]);
    // Whoever looks at the contact sees that a video is on its way, though HeyGen has taken no order.
    for (const lead of leads) await lead.has({ heygen_render_status: 'PENDING' });
    expect(leads.flatMap((lead) => told(lead, 'submitted'))).toEqual([]);
    await wallet(1_000);
    for (const lead of leads) await lead.done();
    for (const lead of leads) expect(await lead.writesOf('heygen_render_status', 'PENDING')).toBe(1);
    for (const lead of leads) expect(await billing(lead)).toEqual({ charged: 1, keys: 1 });
    expect([lines('HeyGen has no credit left: videos wait'), lines('HeyGen takes orders again')]).toEqual([1, 1]);
  });

  it('at the end of the render it waits, through a restart and a replay, and is made once there is credit', async () => {
    await wallet(0, 'render');
    const lead = await qualified(await Lead.make(hub));
    await until(
      'HeyGen has failed twice',
      async () => (await renders(lead)).filter((one) => one === 'failed').length >= 2,
    );
    expect((await lead.read())['heygen_render_status']).toBe('PENDING');
    await hub.kill('render-service');
    const failed = (await renders(lead)).length;
    await until('it is ordered on', async () => (await renders(lead)).length > failed + 1);
    await replayed(lead);
    await wallet(1_000);
    await lead.done();
    expect(await billing(lead)).toEqual({ charged: 1, keys: 1 });
    await hub.caughtUp();
    // Each order was placed once.
    const names = (await made(lead)).map(({ callbackId }) => callbackId);
    expect(new Set(names).size).toBe(names.length);
    expect([told(lead, 'failed'), told(lead, 'completed').length]).toEqual([[], 1]);
    expect([lines('HeyGen has no credit left and fails'), lines('HeyGen has credit again')]).toEqual([1, 1]);
  });
});
