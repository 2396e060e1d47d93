import { Hub } from './testing/hub';
import { Lead, once, settled } from './testing/lead';
import { until } from './testing/until';

// HeyGen's callbacks are lost while the gateway is away; afterwards what it has sent is read from its own history.

const VIDEOS = 16;
let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({ RENDER_MS: '500', HEYGEN_JOBS: '50' });
  await hub.control('heygen', 'PUT', '/settings', { concurrency: 50 });
});
afterAll(() => hub?.stop());

const looks = async () => {
  const calls = (await hub.calls('heygen')).filter(({ method }) => method === 'GET');
  const count = (path: RegExp) => calls.filter((call) => path.test(call.path)).length;
  return { history: count(/^\/v3\/webhooks\/events/), videos: count(/^\/v3\/videos/) };
};
const ended = (leads: readonly Lead[]) =>
  until('the renders have ended', async () => {
    const renders = await Promise.all(leads.map((lead) => lead.billedRenders()));
    return renders.every(([render]) => render?.status === 'completed');
  });

it('takes in by one call what nobody heard of, once each', async () => {
  expect(await looks()).toEqual({ history: 0, videos: 0 });
  await hub.control('heygen', 'PUT', '/callbacks', { lost: true });
  const leads = await Promise.all(Array.from({ length: VIDEOS }, () => Lead.make(hub)));
  for (const lead of leads) expect((await hub.post(`[${lead.change()}]`)).status).toBe(200);
  await ended(leads);
  await hub.control('heygen', 'PUT', '/callbacks', { lost: false });
  expect(hub.topic('ingress.heygen.v1')).toHaveLength(0);
  await hub.kill('gateway');
  for (const lead of leads) await lead.done();
  await settled(hub);
  expect(await looks()).toEqual({ history: 1, videos: 0 });
  for (const lead of leads) expect(await lead.outcome()).toEqual(once);

  // What was delivered stands in the history, too: read after the next start, it is the same callback.
  const delivered = await Lead.make(hub);
  await hub.post(`[${delivered.change()}]`);
  const before = await delivered.done();
  await settled(hub);
  const heard = hub.topic('ingress.heygen.v1').length;
  await hub.kill('gateway');
  await until('the history is on the topic again', async () => {
    await hub.caughtUp();
    return hub.topic('ingress.heygen.v1').length === 2 * heard;
  });
  const ids = hub.topic('ingress.heygen.v1').map(({ headers }) => String(headers['ce_id']));
  expect([heard > VIDEOS, new Set(ids).size]).toEqual([true, heard]);
  await settled(hub);
  expect(await delivered.read()).toEqual(before);
  for (const lead of [...leads, delivered]) {
    expect(await lead.outcome()).toEqual(once);
    expect(lead.records('render.events.v1', 'refrain.render.completed.v1')).toHaveLength(1);
  }
  expect(await looks()).toEqual({ history: 2, videos: 0 });
});
