import { randomBytes } from 'node:crypto';
import { Hub } from './testing/hub';
import { Lead, once, settled } from './testing/lead';
import { until } from './testing/until';

const key = randomBytes(24).toString('hex');
let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({ VIDEO_LINK_KEY: key });
});
afterAll(() => hub?.stop());

const see = (link: string) => fetch(hub.gatewayUrl + new URL(link).pathname, { redirect: 'manual' });
/** Where the link leads to now; it may be a moment behind the contact. */
const address = (link: string) =>
  until('the link leads somewhere', async () => (await see(link)).headers.get('location') ?? undefined);
const lives = (urlLifeSeconds: number) => hub.control('heygen', 'PUT', '/settings', { urlLifeSeconds });

it('gives the contact a link that shows its video when the address of HeyGen has ended', async () => {
  await lives(1);
  const lead = await Lead.make(hub);
  expect((await hub.post(`[${lead.change()}]`)).status).toBe(200);
  const { heygen_video_url: link } = await lead.done();
  expect(link).toMatch(/^https:\/\/hub\.example\.test\/v\/[\w-]{22}$/);
  const first = await address(link ?? '');
  await until('its address has ended', async () => (await fetch(first)).status === 403);
  await lives(3_600);
  const seen = await fetch(await address(link ?? ''));
  const bytes = Buffer.from(await seen.arrayBuffer());
  expect([seen.status, bytes.subarray(4, 8).toString()]).toEqual([200, 'ftyp']);

  const [event] = lead.records('render.events.v1', 'refrain.render.completed.v1');
  expect(String(event?.value)).not.toContain('Expires=');
  // The same change again, as HubSpot repeats it, makes no other link.
  await hub.post(`[${lead.change()}]`);
  await settled(hub);
  expect([await lead.outcome(), (await lead.read())['heygen_video_url']]).toEqual([once, link]);
  expect(hub.logs()).not.toContain(new URL(link ?? '').pathname);
  expect(hub.logs()).not.toContain(key);
});
