import { HubspotClient } from '#libs/vendors/hubspot';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Sandbox, startSandbox } from './testing/vendors';

const secrets = newSecrets();
const watchdog = new Watchdog();
let hubspot: Sandbox;
let contact: string;
let counted = 0;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(async () => {
  await hubspot.control('PUT', '/app-events', { allowed: true });
  await hubspot.control('DELETE', '/faults');
  const properties = { email: `lead-${String((counted += 1))}@example.com` };
  contact = (await hubspot.control<{ id: string }>('POST', '/ui/contacts', { properties })).id;
});

const client = () => new HubspotClient({ baseUrl: hubspot.url, accessToken: secrets.hubspotAccessToken });
const send = (id: string, type = 'video_ready') =>
  client().sendEvent(
    {
      record: { type: 'contact', id: contact },
      event: { type, properties: { video_id: 'v1' }, at: '2026-11-21T10:00:00Z' },
    },
    id,
    AbortSignal.timeout(10_000),
  );
const told = async () =>
  (await hubspot.control<{ events: { id: string; objectId: string }[] }>('GET', '/app-events')).events.filter(
    ({ objectId }) => objectId === contact,
  );

it('tells a timeline of an event once, however often it is said', async () => {
  const answer = { outcome: 'done', value: { id: `${contact}-a` } };
  expect(await send(`${contact}-a`)).toEqual(answer);
  expect(await send(`${contact}-a`)).toEqual(answer);
  expect(await told()).toEqual([
    {
      id: `${contact}-a`,
      eventTypeName: 'video_ready',
      objectId: contact,
      properties: { video_id: 'v1' },
      timestamp: '2026-11-21T10:00:00Z',
    },
  ]);
});

it('is refused for good where the app has no leave, and where its type is not declared', async () => {
  expect(await send('b', 'nonsense')).toMatchObject({ outcome: 'stop' });
  await hubspot.control('PUT', '/app-events', { allowed: false });
  expect(await send('c')).toMatchObject({ outcome: 'stop', code: 'not-allowed' });
  expect(await told()).toEqual([]);
});

it('is not known to have been told where HubSpot fails', async () => {
  await hubspot.control('POST', '/faults', {
    match: { method: 'POST', pathPrefix: '/integrators' },
    fault: { kind: 'html', status: 502 },
    times: 1,
  });
  expect(await send('d')).toMatchObject({ outcome: 'unknown' });
});
