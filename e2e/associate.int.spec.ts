import { HubspotClient } from '#libs/vendors/hubspot';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Sandbox, startSandbox } from './testing/vendors';

const secrets = newSecrets();
const watchdog = new Watchdog();
let hubspot: Sandbox;
let counted = 0;
let key: string;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
  const unique = {
    name: 'erp_id',
    label: 'ERP id',
    type: 'string',
    fieldType: 'text',
    groupName: 'companyinformation',
  };
  await fetch(`${hubspot.url}/crm/properties/2026-09/companies`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.hubspotAccessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...unique, hasUniqueValue: true }),
  });
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(() => {
  key = `erp-${String((counted += 1))}`;
});

const client = () => new HubspotClient({ baseUrl: hubspot.url, accessToken: secrets.hubspotAccessToken });
const record = { type: 'order', id: 'O-1' };
const soon = () => AbortSignal.timeout(10_000);
const company = (name: string) =>
  client().upsert({ record, upsert: { object: 'company', by: 'erp_id', properties: { erp_id: key, name } } }, soon());
const contact = () =>
  client().upsert(
    {
      record,
      upsert: {
        object: 'contact',
        by: 'email',
        properties: { email: `${key}@example.com`, firstname: 'Ada' },
        associate: [{ object: 'company', by: 'erp_id', value: key }],
      },
    },
    soon(),
  );
const idOf = (answer: unknown) => (answer as { value: { id: string } }).value.id;
const companiesOf = async (id: string) =>
  (await hubspot.control<{ associations: { companies?: string[] } }>('GET', `/objects/contacts/${id}`)).associations
    .companies;

it('ties a record from outside to another one, each known by its own key; once more changes nothing', async () => {
  const employer = idOf(await company('Example Ltd'));
  const first = await contact();
  expect(await contact()).toEqual(first);
  expect(await companiesOf(idOf(first))).toEqual([employer]);
});

it('waits for a record that it is to be tied to, whichever of them comes first', async () => {
  expect(await contact()).toMatchObject({ outcome: 'retry', refused: false, code: 'association-missing' });
  const employer = idOf(await company('Example Ltd'));
  expect(await companiesOf(idOf(await contact()))).toEqual([employer]);
});

it('is unknown where the tie was lost on the way: it is tied when it is said again', async () => {
  const employer = idOf(await company('Example Ltd'));
  await hubspot.control('POST', '/faults', { match: { method: 'PUT' }, fault: { kind: 'reset' }, times: 1 });
  expect(await contact()).toMatchObject({ outcome: 'unknown' });
  expect(await companiesOf(idOf(await contact()))).toEqual([employer]);
});
