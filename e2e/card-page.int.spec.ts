import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { enrichment, everything, movedOn, rerendered, video } from './card/answers';
import { launchBrowser } from './testing/browser';
import { Watchdog } from './testing/children';
import { type CardCall, ContractHub } from './testing/contract-hub';
import { buildRecordPage, RecordPage } from './testing/record-page';
import { accountOf, newSecrets } from './testing/secrets';
import { startSandbox, type Sandbox } from './testing/vendors';

const secrets = newSecrets();
const account = accountOf({});
const folder = mkdtempSync(join(tmpdir(), 'card-page-'));
const watchdog = new Watchdog();
let hub: ContractHub;
let hubspot: Sandbox;
let browser: Browser;

beforeAll(async () => {
  hub = await new ContractHub(secrets.hubspotClientSecret).start();
  await buildRecordPage(hub.url, folder, watchdog);
  const gateway = { url: hub.url, publicUrl: hub.url };
  [hubspot, browser] = await Promise.all([
    startSandbox('hubspot', secrets, account, gateway, { RECORD_PAGE_DIR: folder }, watchdog),
    launchBrowser(),
  ]);
});
afterAll(async () => {
  await browser.close();
  await hubspot.child.stop();
  await hub.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
});

let contact: string;
let on: RecordPage;

beforeEach(async () => {
  hub.calls.length = 0;
  const made = await hubspot.control<{ id: string }>('POST', '/ui/contacts', { properties: { firstname: 'Ada' } });
  contact = made.id;
  on = await RecordPage.in(browser, hubspot);
});
afterEach(async () => {
  await on.page.close();
  expect(on.faults).toEqual([]);
  expect(hub.calls.filter(({ isSigned }) => !isSigned)).toEqual([]);
});

const methods = () => hub.calls.map(({ method }) => method);
const addressOf = ({ url }: CardCall) => new URL(url, hub.url);

it('shows what the hub knows of the record, asked by a signed call that says who asks', async () => {
  hub.answer = () => ({ status: 200, body: everything });
  await on.open('contacts', contact);
  await on.shows('Ready');
  expect(await on.page.getByRole('link', { name: 'Watch the video' }).getAttribute('href')).toBe(video.url);
  await on.shows(enrichment.summary);
  for (const quote of enrichment.evidence) await on.shows(`“${quote}”`);
  expect(await on.pairs()).toEqual(
    expect.arrayContaining(['Score\n87', 'Budget\n40,000', 'plan\npro', 'Cost\n1 credit']),
  );
  expect(await on.page.getByRole('alert').innerText()).toContain('HubSpot has no property lead_score.');
  await on.shows(/Spent on this record: 2 credits and 1,500 tokens/);

  const asked = hub.calls.map((call) => ({ method: call.method, ...pickOf(addressOf(call)) }));
  const who = { userId: '7001', userEmail: 'ada@example.com' };
  const where = { portalId: String(account.portalId), appId: String(account.appId) };
  expect(asked).toEqual([{ method: 'GET', path: `/cards/hubspot/contact/${contact}`, query: { ...who, ...where } }]);
});

const pickOf = ({ pathname: path, searchParams }: URL) => ({ path, query: Object.fromEntries(searchParams) });

it('asks for a render after it has shown the cost: once by the person, though the proxy asks again after a 502', async () => {
  let answer: object = everything;
  hub.answer = ({ method }, nth) => {
    if (method === 'GET') return { status: 200, body: answer };
    answer = rerendered;
    return nth === 1 ? { status: 502, body: {} } : { status: 202, body: { asked: true } };
  };
  await on.open('contacts', contact);
  await on.button('Render again').click();
  expect(await on.dialog.innerText()).toContain('It costs 1 credit');
  expect(methods()).toEqual(['GET']);
  await on.button('Render again for 1 credit').click();
  await on.shows('Waiting to be rendered');
  await on.shows('It is being rendered.');
  expect(await on.dialog.count()).toBe(0);

  const posts = hub.calls.filter(({ method }) => method === 'POST');
  const ask = [`/cards/hubspot/contact/${contact}/renders`, { recipe: 'instant-lead', after: 2 }];
  expect(posts.map((call) => [addressOf(call).pathname, call.body])).toEqual([ask, ask]);
  expect(methods()).toEqual(['GET', 'POST', 'POST', 'GET']);
});

it('asks for nothing where the person leaves it, also by the keyboard', async () => {
  hub.answer = () => ({ status: 200, body: everything });
  await on.open('contacts', contact);
  for (const leave of [() => on.button('Leave it').click(), () => on.page.keyboard.press('Escape')]) {
    await on.button('Render again').click();
    await on.dialog.waitFor();
    await leave();
    await on.dialog.waitFor({ state: 'detached' });
  }
  expect(methods()).toEqual(['GET']);
});

it('shows the newer render where somebody else has asked for it', async () => {
  let answer: object = everything;
  hub.answer = ({ method }) => {
    if (method === 'GET') return { status: 200, body: answer };
    answer = rerendered;
    return { status: 409, body: movedOn };
  };
  await on.open('contacts', contact);
  await on.button('Render again').click();
  await on.button('Render again for 1 credit').click();
  await on.shows('Waiting to be rendered');
  expect(methods()).toEqual(['GET', 'POST', 'GET']);
});

it('says what the hub refused with, and tries again when told to', async () => {
  const body = { code: 'unknown-portal', title: 'No', detail: 'This account is not known here.' };
  hub.answer = (_call, nth) => (nth === 1 ? { status: 403, body } : { status: 200, body: everything });
  await on.open('contacts', contact);
  await on.shows('This account is not known here.');
  await on.button('Try again').click();
  await on.shows('Ready');
});

it('calls nobody past the proxy, which signs: neither the page nor the card', async () => {
  hub.answer = () => ({ status: 200, body: everything });
  await on.open('contacts', contact);
  await on.shows('Ready');
  expect([...on.called]).toEqual([new URL(hubspot.url).origin]);
});
