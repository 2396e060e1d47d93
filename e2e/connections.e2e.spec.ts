import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

const token = 'e2e-token-of-forty-letters-and-digits-01';
const file = join(mkdtempSync(join(tmpdir(), 'refrain-connections-')), 'connections.yaml');
writeFileSync(
  file,
  `- door: hubspot
  connection: main
  app: 4242
  tenants: [{ tenant: acme, portals: [62515] }, { tenant: globex, portals: [62516] }]
  secretEnv: HUBSPOT_CLIENT_SECRET
- door: heygen
  connection: videos
  tenants: [acme, globex]
  secretEnv: HEYGEN_WEBHOOK_SECRET
  token: { secretEnv: CALLBACK_TOKEN }
`,
);

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({
    TENANTS_FILE: file,
    CALLBACK_TOKEN: token,
    HEYGEN_CALLBACK_URL: `https://hub.example.test/webhooks/heygen/${token}`,
    HUBSPOT_APP_ID: '4242',
    HUBSPOT_PORTAL_ID: '62515',
  });
});
afterAll(() => hub?.stop());

/** The render's ends on the log, as soon as there is one. */
const endOf = (lead: Lead, tenant: string) =>
  until('the end of the render is on the log', () => {
    const ends = endsOf(lead, tenant);
    return ends.length > 0 ? ends : undefined;
  });
const endsOf = (lead: Lead, tenant: string) =>
  lead
    .records('render.events.v1', undefined, tenant)
    .map(({ headers }) => headers['ce_type'] ?? '')
    .filter((type) => /completed|failed/.test(type));

it('carries the leads of two tenants of one app through, each under its own name', async () => {
  for (const [tenant, portalId] of [
    ['acme', 62515],
    ['globex', 62516],
  ] as const) {
    const lead = await Lead.make(hub);
    expect((await hub.post(`[${lead.change({ portalId })}]`)).status).toBe(200);
    const { heygen_video_url: video } = await lead.done();
    expect(video).toContain(`/${(await lead.billedRenders())[0]?.id}/`);
    expect(await endOf(lead, tenant)).toEqual(['refrain.render.completed.v1']);
    for (const { headers } of lead.records('crm.events.v1', undefined, tenant))
      expect(headers['ce_tenant']).toBe(tenant);
  }
});

describe('an unsigned callback', () => {
  const claim = (body: object, to = token) =>
    fetch(`${hub.gatewayUrl}/webhooks/heygen/${to}`, { method: 'POST', body: JSON.stringify(body) });
  const success = (video_id: string, url: string, callback_id?: string) => ({
    event_type: 'avatar_video.success',
    event_data: { video_id, url, callback_id },
  });

  beforeAll(async () => {
    await hub.control('heygen', 'PUT', '/callbacks', { lost: true });
    await hub.control('heygen', 'PUT', '/settings', { renderMs: 3_600_000 });
  });

  it('settles nothing when it is forged, with the token or without; a right one brings the answer forward', async () => {
    const lead = await Lead.make(hub);
    await hub.post(`[${lead.change()}]`);
    await lead.has({ heygen_render_status: 'PENDING', lead_score: true });
    const [render] = await lead.billedRenders();
    const id = render?.id ?? '';
    const named = `render-acme:contact:${lead.id}:lead-qualified/1/1`;
    const evil = 'https://evil.example.test/v.mp4';
    expect((await claim(success(id, evil, named), `${token}x`)).status).toBe(404);
    const forged = [
      success(id, evil, named),
      success(id, evil, `${named}1`),
      {
        event_type: 'avatar_video.fail',
        event_data: { video_id: id, msg: 'no', failure_code: 'C', callback_id: named },
      },
      { event_type: 'avatar_video.success', event_data: { url: evil, callback_id: named } },
    ];
    for (const body of forged) expect((await claim(body)).status).toBe(200);
    const answers = async () =>
      (await hub.calls('heygen')).filter(({ path, status }) => path === `/v3/videos/${id}` && status === 200).length;
    await until('each claim was asked about', async () => (await answers()) === forged.length);
    await hub.caughtUp();
    expect(endsOf(lead, 'acme')).toEqual([]);
    expect(await lead.read()).toMatchObject({ heygen_render_status: 'PENDING', heygen_video_url: null });

    await hub.control('heygen', 'POST', `/renders/${id}/finish`);
    expect((await claim(success(id, `${evil}?really`, named))).status).toBe(200);
    expect((await lead.done())['heygen_video_url']).toContain(`/${id}/`);
    expect(await endOf(lead, 'acme')).toEqual(['refrain.render.completed.v1']);
    expect(JSON.stringify(await lead.patches())).not.toContain('evil');
  });

  it('of the other tenant’s order is not heard for this one', async () => {
    const lead = await Lead.make(hub);
    await hub.post(`[${lead.change()}]`);
    await lead.has({ heygen_render_status: 'PENDING', lead_score: true });
    const id = (await lead.billedRenders())[0]?.id ?? '';
    await hub.control('heygen', 'POST', `/renders/${id}/finish`);
    const other = success(id, 'https://u.test', `render-globex:contact:${lead.id}:lead-qualified/1/1`);
    expect((await hub.callBack(JSON.stringify(other))).status).toBe(200);
    await hub.caughtUp();
    expect(endsOf(lead, 'acme')).toEqual([]);
    await claim(success(id, 'https://u.test'.concat('/2'), `render-acme:contact:${lead.id}:lead-qualified/1/1`));
    expect((await lead.done())['heygen_video_url']).toContain(`/${id}/`);
  });

  it('to the address of a single order is enough to complete it', async () => {
    await hub.control('heygen', 'PUT', '/callbacks', { lost: false, signature: 'wrong-secret' });
    await hub.control('heygen', 'PUT', '/settings', { renderMs: 400 });
    const lead = await Lead.make(hub);
    await hub.post(`[${lead.change()}]`);
    await lead.done();
    const types = hub.topic('ingress.heygen.v1').filter(({ value }) => String(value).includes(`contact:${lead.id}:`));
    expect(types.map(({ headers }) => headers['ce_type'])).toEqual(['refrain.heygen-callback.claimed.v1']);
    expect(await endOf(lead, 'acme')).toEqual(['refrain.render.completed.v1']);
  });
});
