import { Hub } from './testing/hub';
import { Lead, settled, writesTo } from './testing/lead';
import { until } from './testing/until';

// What a portal's people do with records while the hub works on them: they merge, delete, restore and erase them.

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({ RENDER_MS: '3000' });
});
afterAll(() => hub?.stop());
afterEach(() => hub.control('hubspot', 'PUT', '/settings', { mergesMakeNew: true }));

const renders = 'render.events.v1';
const person = <T = Record<string, unknown>>(method: string, path: string, body: object = {}) =>
  hub.control<T>('hubspot', method, `/ui/contacts/${path}`, body);
const merge = async (primary: string, other: string) =>
  (await person<{ id: string }>('POST', `${primary}/merge`, { objectIdToMerge: other })).id;
const stored = async (id: string) =>
  (await hub.control<{ properties: Record<string, string> }>('hubspot', 'GET', `/objects/contacts/${id}`)).properties;
const submitted = (lead: Lead) =>
  until('the video is ordered', () => lead.records(renders, 'refrain.render.submitted.v1').length > 0);
const has = (id: string, name: string, value?: string) =>
  until(`${id} has ${name}`, async () => {
    const found = (await stored(id))[name];
    return value === undefined ? Boolean(found) : found === value;
  });

it('a merge during a render: link, status and score are written to the record that goes on', async () => {
  const lead = await Lead.make(hub);
  const other = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  await submitted(lead);
  const survivor = await merge(other.id, lead.id);
  await has(survivor, 'heygen_render_status', 'COMPLETED');
  await has(survivor, 'lead_score');
  const [render] = await lead.billedRenders();
  expect((await stored(survivor))['heygen_video_url']).toContain(`/${render?.id ?? ''}/`);
  // Once it knew of the merge, the hub has written to the survivor itself, and says so on its topics.
  expect((await writesTo(hub, survivor)).length).toBeGreaterThan(0);
  const completed = hub.topic(renders).filter(({ headers }) => headers['ce_type'] === 'refrain.render.completed.v1');
  expect(completed.map(({ key }) => key)).toContain(`default:contact:${survivor}`);
  expect(await lead.billedRenders()).toHaveLength(1);
});

it('a chain of merges, and one into a record that lives on, end at the last record', async () => {
  await hub.control('hubspot', 'PUT', '/settings', { mergesMakeNew: false });
  const [a, b, c] = [await Lead.make(hub), await Lead.make(hub), await Lead.make(hub)];
  await hub.post(`[${a.change()}]`);
  await submitted(a);
  expect(await merge(b.id, a.id)).toBe(b.id);
  expect(await merge(c.id, b.id)).toBe(c.id);
  await has(c.id, 'heygen_render_status', 'COMPLETED');
  const late = a.change({ propertyValue: 'marketingqualifiedlead', occurredAt: Date.now() + 90_000_000 });
  await hub.post(`[${late}]`);
  await until('the late trigger of the first has its video', async () => (await a.billedRenders()).length === 2);
  await until('it is written to the last', async () => {
    const [, second] = await a.billedRenders();
    return (await stored(c.id))['heygen_job_id'] === second?.id;
  });
});

it('a trigger that comes after the merge of its record is served at the one that goes on', async () => {
  const lead = await Lead.make(hub);
  const other = await Lead.make(hub);
  const change = lead.change();
  const survivor = await merge(other.id, lead.id);
  await settled(hub);
  await hub.post(`[${change}]`);
  await has(survivor, 'heygen_render_status', 'COMPLETED');
  await has(survivor, 'lead_score');
  expect(await writesTo(hub, lead.id)).toEqual([]);
});

it('a deletion during a render: what was ordered is not written, and is when the record is back', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  await submitted(lead);
  await lead.has({ heygen_render_status: 'PENDING', lead_score: true });
  await person('DELETE', lead.id);
  await until('the video is ready', () => lead.records(renders, 'refrain.render.completed.v1').length > 0);
  await settled(hub);
  expect(await lead.writesOf('heygen_render_status', 'COMPLETED')).toBe(0);
  await person('POST', `${lead.id}/restore`);
  await has(lead.id, 'heygen_render_status', 'COMPLETED');
});

it('a deletion before the order: nothing is billed, and the render ends as failed', async () => {
  const lead = await Lead.make(hub);
  await hub.control('hubspot', 'POST', '/faults', {
    match: { method: 'GET', pathPrefix: `/crm/objects/2026-09/0-1/${lead.id}` },
    fault: { kind: 'status', status: 500 },
    times: 1_000,
  });
  await hub.post(`[${lead.change()}]`);
  await until('it is requested', () => lead.records(renders, 'refrain.render.requested.v1').length > 0);
  await person('DELETE', lead.id);
  await until('it is known', () => lead.records(renders, 'refrain.render-record.followed.v1').length > 0);
  await hub.control('hubspot', 'DELETE', '/faults');
  const [failed] = await until('it failed', () => {
    const found = lead.records(renders, 'refrain.render.failed.v1');
    return found.length > 0 && found;
  });
  expect(JSON.parse(String(failed?.value))).toMatchObject({ code: 'record-deleted' });
  await settled(hub);
  expect(await lead.billedRenders()).toEqual([]);
});

it('after a privacy deletion nothing is ever written again, restored or not', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  await submitted(lead);
  await lead.has({ heygen_render_status: 'PENDING', lead_score: true });
  await person('POST', `${lead.id}/gdpr-delete`);
  await until('it is asked for', () => lead.records('crm.events.v1', 'refrain.record-erasure.asked.v1').length > 0);
  const before = (await lead.patches()).length;
  const restore = { subscriptionType: 'contact.restore', occurredAt: Date.now() + 1_000 };
  await hub.post(`[${lead.change({ ...restore, propertyName: undefined, propertyValue: undefined })}]`);
  await hub.post(`[${lead.change({ occurredAt: Date.now() + 90_000_000 })}]`);
  await settled(hub);
  expect(await lead.patches()).toHaveLength(before);
  expect(await lead.billedRenders()).toHaveLength(1);
});
