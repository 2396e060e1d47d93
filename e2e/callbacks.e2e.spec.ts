import { Hub } from './testing/hub';
import { Lead, once, type Render, settled } from './testing/lead';
import { until } from './testing/until';

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({ RENDER_MS: '1000' });
});
afterAll(() => hub?.stop());

const asUsual = { early: false, lateMs: 0, duplicate: 0, lost: false };
afterEach(async () => {
  await hub.control('heygen', 'PUT', '/callbacks', asUsual);
  await hub.control('heygen', 'PUT', '/settings', { submitMs: 20 });
});

const callbacksAre = (how: Partial<typeof asUsual>) => hub.control('heygen', 'PUT', '/callbacks', how);

async function qualified(): Promise<Lead> {
  const lead = await Lead.make(hub);
  expect((await hub.post(`[${lead.change()}]`)).status).toBe(200);
  return lead;
}

/** The contact's render as soon as HeyGen has accepted it, answered or not. */
const accepted = (lead: Lead): Promise<Render> =>
  until('an accepted render', async () => (await lead.billedRenders())[0]);

/** HeyGen calls back from now on; the callback of the contact's own render was lost by then. */
async function callbackWasLost(lead: Lead): Promise<void> {
  await until('the end of the render', async () => (await lead.billedRenders())[0]?.status === 'completed');
  await callbacksAre({ lost: false });
}

const completed = (lead: Lead) => lead.records('render.events.v1', 'refrain.render.completed.v1').length;

const url = 'https://video.example.test/outreach.mp4';
const success = (data: Record<string, unknown>) =>
  JSON.stringify({ event_type: 'avatar_video.success', event_data: { url, folder_id: null, ...data } });

it('writes FAILED and the code of a render that HeyGen fails', async () => {
  const lead = await Lead.make(hub);
  await hub.control('heygen', 'POST', '/render-outcomes', {
    match: { callbackId: `render-default:contact:${lead.id}:lead-qualified/1/1` },
    outcome: 'fail',
    code: 'content_policy_violation',
    message: 'The text is not allowed',
  });
  await hub.post(`[${lead.change()}]`);
  const code = 'content_policy_violation';
  const contact = await lead.has({ heygen_render_status: 'FAILED', heygen_render_error: code, lead_score: true });
  expect(contact['heygen_video_url']).toBeNull();
  await settled(hub);
  expect(await lead.outcome()).toEqual({ ...once, completed: 0 });
  expect(await lead.writesOf('heygen_render_status', 'FAILED')).toBe(1);
});

it('completes once where the callback comes three times', async () => {
  await callbacksAre({ duplicate: 2 });
  const lead = await qualified();
  await lead.done();
  await callbacksAre({ duplicate: 0 });
  await settled(hub);
  expect([await lead.outcome(), completed(lead)]).toEqual([once, 1]);
});

it("completes once where the callback overtakes the submission's own answer", async () => {
  await hub.control('heygen', 'PUT', '/settings', { submitMs: 2_000 });
  await callbacksAre({ early: true });
  const lead = await qualified();
  await lead.done();
  const [order] = await lead.orders();
  expect(order?.status).toBeNull();
  await until('the answer', async () => (await lead.orders())[0]?.status === 200);
  await hub.control('heygen', 'PUT', '/settings', { submitMs: 20 });
  await callbacksAre({ early: false });
  await settled(hub);
  const { heygen_render_status: status, heygen_job_id: job } = await lead.read();
  expect([status, job]).toEqual(['COMPLETED', (await accepted(lead)).id]);
  expect(await lead.outcome()).toMatchObject({ billedRenders: 1, completed: 1 });
  expect(completed(lead)).toBe(1);
});

it('takes a callback after the end for a repeat', async () => {
  const lead = await qualified();
  const before = await lead.done();
  const { id } = await accepted(lead);
  const { results } = await hub.control<{ results: { status: number }[] }>('heygen', 'POST', `/renders/${id}/callback`);
  expect(results.map(({ status }) => status)).toEqual([200]);
  // An order that HeyGen reports as failed after it has delivered the video changes nothing either.
  const fail = { event_type: 'avatar_video.fail', event_data: { video_id: id, msg: 'too late' } };
  expect((await hub.callBack(JSON.stringify(fail))).status).toBe(200);
  await settled(hub);
  expect([await lead.outcome(), completed(lead)]).toEqual([once, 1]);
  expect(await lead.read()).toEqual(before);
});

describe('a callback that names only the video', () => {
  it('finds its render', async () => {
    await callbacksAre({ lost: true });
    const lead = await qualified();
    await lead.has({ heygen_render_status: 'PENDING' });
    const { id } = await accepted(lead);
    expect((await hub.callBack(success({ video_id: id }))).status).toBe(200);
    expect((await lead.done())['heygen_video_url']).toBe(url);
    await callbackWasLost(lead);
    await settled(hub);
    expect([await lead.outcome(), completed(lead)]).toEqual([once, 1]);
  });

  it('waits for the answer that tells whose the video is', async () => {
    await hub.control('heygen', 'PUT', '/settings', { submitMs: 2_000 });
    await callbacksAre({ lost: true });
    const lead = await qualified();
    const { id } = await accepted(lead);
    expect((await hub.callBack(success({ video_id: id }))).status).toBe(200);
    await hub.caughtUp();
    expect([(await lead.orders())[0]?.status, completed(lead)]).toEqual([null, 0]);
    expect((await lead.done())['heygen_video_url']).toBe(url);
    await hub.control('heygen', 'PUT', '/settings', { submitMs: 20 });
    await callbackWasLost(lead);
    await settled(hub);
    expect(await lead.outcome()).toMatchObject({ billedRenders: 1, completed: 1 });
    expect(completed(lead)).toBe(1);
  });
});

it('is not moved by a forged callback', async () => {
  await callbacksAre({ lost: true });
  const lead = await qualified();
  await lead.has({ heygen_render_status: 'PENDING', lead_score: true });
  const { id } = await accepted(lead);
  const forged = success({ video_id: id, callback_id: `render-default:contact:${lead.id}:lead-qualified/1/1` });
  expect((await hub.callBack(forged, { secret: hub.secrets.hubspotClientSecret })).status).toBe(401);
  await callbackWasLost(lead);
  await settled(hub);
  expect(await lead.read()).toMatchObject({ heygen_render_status: 'PENDING', heygen_video_url: null });
  expect(hub.topic('ingress.heygen.v1').map(({ value }) => String(value))).not.toContain(forged);
  await hub.control('heygen', 'POST', `/renders/${id}/callback`);
  expect((await lead.done())['heygen_video_url']).toContain(`/${id}/`);
});
