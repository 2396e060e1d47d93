import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './testing/browser';
import { Watchdog } from './testing/children';
import { Hub } from './testing/hub';
import { Lead, settled } from './testing/lead';
import { buildRecordPage, RecordPage } from './testing/record-page';
import { until } from './testing/until';

const folder = mkdtempSync(join(tmpdir(), 'card-'));
const watchdog = new Watchdog();
let hub: Hub;
let browser: Browser;
beforeAll(async () => {
  await buildRecordPage('https://hub.example.test', folder, watchdog);
  const settings = { RENDER_MS: '1500', RECORD_PAGE_DIR: folder };
  [hub, browser] = await Promise.all([Hub.start(settings, { replicas: 2 }), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
});

interface Card {
  videos: {
    recipe: string;
    render: number;
    status: string;
    url: string | null;
    videoId: string | null;
    cost: object | null;
    again: object;
  }[];
  enrichments: { status: string; score: number | null; summary: string | null; sentiment: number | null }[];
  lastError: object | null;
  spent: { credits: number };
}

const recipe = 'lead-qualified';
const asked = 'refrain.render-again.asked.v1';

const shown = async ({ id }: Lead): Promise<Card> => (await hub.card('GET', `contact/${id}`)).json() as Promise<Card>;
const ask = async ({ id }: Lead, after: number, replica = 1): Promise<number> => {
  const answer = await hub.card('POST', `contact/${id}/renders`, { body: JSON.stringify({ recipe, after }), replica });
  await answer.body?.cancel();
  return answer.status;
};
const says = (lead: Lead, render: number, status: string) =>
  until(`the card says that render ${String(render)} is ${status}`, async () => {
    const { videos, enrichments } = await shown(lead);
    const [video] = videos;
    return video?.render === render && video.status === status && enrichments[0]?.status === 'COMPLETED';
  });

it('shows a lead’s video and score, and a person who asks twice gets one more video', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  const { heygen_video_url: url, heygen_job_id: videoId } = await lead.done();
  await says(lead, 1, 'COMPLETED');
  expect(await shown(lead)).toMatchObject({
    videos: [{ recipe, render: 1, url, videoId, cost: { credits: 1 }, again: { cost: { credits: 1 } } }],
    enrichments: [{ score: 59, sentiment: 0.75, summary: expect.stringContaining('Budget') as string }],
    lastError: null,
    spent: { credits: 1 },
  });

  // HubSpot's proxy repeats a call that it had no answer to; both gateways take them. Who comes late is told so.
  const answers = await Promise.all([ask(lead, 1), ask(lead, 1, 2), ask(lead, 1), ask(lead, 1, 2)]);
  expect(answers).toContain(202);
  expect(answers.filter((status) => status !== 202 && status !== 409)).toEqual([]);
  await says(lead, 2, 'COMPLETED');
  const again = await shown(lead);
  expect(again).toMatchObject({ videos: [{ render: 2, cost: { credits: 1 } }], spent: { credits: 2 } });
  await lead.has({ heygen_job_id: again.videos[0]?.videoId ?? '', heygen_render_status: 'COMPLETED' });
  expect(again.videos[0]?.url).not.toBe(url);
  expect(await ask(lead, 1)).toBe(409);

  await settled(hub);
  expect(await lead.billedRenders()).toHaveLength(2);
  expect(lead.records('render.events.v1', 'refrain.render.requested.v1')).toHaveLength(2);
  // The same content has its answer already.
  expect((await lead.questions()).filter(({ billed }) => billed)).toHaveLength(1);
  const asks = lead.records('ingress.hubspot.v1', asked);
  const taken = answers.filter((status) => status === 202).length;
  expect(asks).toHaveLength(taken);
  // Nobody else minds them.
  expect(hub.records.filter(({ topic }) => topic.endsWith('.dlq'))).toEqual([]);
  const [, request] = lead.records('render.events.v1', 'refrain.render.requested.v1');
  expect(JSON.parse(String(request?.value))).toMatchObject({ render: 2, asked: { after: 1, by: 'hubspot-user:42' } });

  // Read again, the wish has its render.
  const from = ['--service', 'render-service', '--topic', 'ingress.hubspot.v1', '--filter'];
  const plan = await hub.refrain<{ items: object; effects: object; cost: object }>(
    'replay',
    ...from,
    'value.after == 1',
  );
  expect(plan).toMatchObject({ items: { planned: taken }, effects: { 'hubspot.read': { skipped: taken } }, cost: {} });
});

it('makes none behind a render that is still under way, and one once that has ended', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  await lead.has({ heygen_render_status: 'PENDING' });
  expect([404, 409]).toContain(await ask(lead, 1));
  await lead.done();
  await says(lead, 1, 'COMPLETED');
  expect(await ask(lead, 1)).toBe(202);
  await says(lead, 2, 'COMPLETED');
  expect(await lead.billedRenders()).toHaveLength(2);
});

it('has forgotten a record that HubSpot erased, and one that an operator did', async () => {
  const leads = await Promise.all([Lead.make(hub), Lead.make(hub)]);
  const [erased, forgotten] = leads;
  for (const lead of leads) await hub.post(`[${lead.change()}]`);
  for (const lead of leads) {
    await lead.done();
    await says(lead, 1, 'COMPLETED');
  }
  const deletion = { subscriptionType: 'contact.privacyDeletion', propertyName: undefined, propertyValue: undefined };
  await hub.post(`[${forgotten.change(deletion)}]`);
  await hub.refrain('erase', 'default', `contact:${erased.id}`);
  for (const lead of leads) {
    await until('the card is empty', async () => {
      const { videos, enrichments } = await shown(lead);
      return videos.length + enrichments.length === 0;
    });
    expect(await shown(lead)).toMatchObject({ spent: { credits: 0 } });
    expect(await ask(lead, 1)).toBe(404);
  }
});

it('in a browser, on the record’s page: a person sees the video, asks for one more, and it shows', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  const { heygen_video_url: url } = await lead.done();
  await says(lead, 1, 'COMPLETED');
  const before = (await lead.billedRenders()).length;

  const on = await RecordPage.in(browser, hub.sandboxes.hubspot);
  await on.open('contacts', lead.id);
  await on.shows('Ready');
  expect(await on.page.getByRole('link', { name: 'Watch the video' }).getAttribute('href')).toBe(url);
  expect(await on.pairs()).toEqual(expect.arrayContaining(['Render\n1', 'Score\n59', 'Cost\n1 credit']));

  await on.button('Render again').click();
  expect(await on.dialog.innerText()).toContain('It costs 1 credit');
  await on.button('Render again for 1 credit').click();
  await says(lead, 2, 'COMPLETED');
  await on.button('Refresh').click();
  await until('the page shows render 2', async () => (await on.pairs()).includes('Render\n2'));
  expect((await lead.billedRenders()).length).toBe(before + 1);
  expect(on.faults).toEqual([]);
  await on.page.close();
});
