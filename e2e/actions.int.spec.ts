import { HUBSPOT_RECEIVED, Topic } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import { type EffectKind, Process } from '#libs/process';
import { HubspotClient } from '#libs/vendors/hubspot';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { recipeOf } from '../libs/recipes/src/testing/recipe-of';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const secrets = newSecrets();
const watchdog = new Watchdog();
let hubspot: Sandbox;
let contact: string;
let email: string;
let counted = 0;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
  const unique = { name: 'key', label: 'Key', type: 'string', fieldType: 'text', groupName: 'companyinformation' };
  await api('POST', '/crm/properties/2026-09/companies', { ...unique, hasUniqueValue: true });
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(async () => {
  email = `ada+${String((counted += 1))}@example.com`;
  contact = await made('contacts', { email });
  await hubspot.control('PUT', '/lists/12', { processingType: 'MANUAL' });
  await hubspot.control('PUT', '/lists/13', { processingType: 'DYNAMIC' });
  await hubspot.control('PUT', '/settings', { dataPrivacy: false, sequenceSeats: true });
  await hubspot.control('DELETE', '/faults');
  await hubspot.control('DELETE', '/calls');
});

async function api(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${secrets.hubspotAccessToken}`, 'content-type': 'application/json' };
  const response = await fetch(`${hubspot.url}${path}`, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

type Stored = { properties: Record<string, string>; associations: Record<string, string[] | undefined> };
const made = async (type: string, properties: Record<string, string>) =>
  (await hubspot.control<{ id: string }>('POST', `/ui/${type}`, { properties })).id;
const stored = (type: string, id: string) => hubspot.control<Stored>('GET', `/objects/${type}/${id}`);
const membersOf = async (list: string) =>
  (await hubspot.control<{ members: string[] }>('GET', `/lists/${list}`)).members;
const activitiesOf = async (type: 'notes' | 'tasks') => {
  const ids = (await stored('contacts', contact)).associations[type] ?? [];
  return Promise.all(ids.map(async (id) => (await stored(type, id)).properties));
};
const sent = async (method: string, path: string) =>
  (await hubspot.calls()).filter((call) => call.method === method && call.path.startsWith(path));
const fault = (method: string, pathPrefix: string, kind: object, times = 1) =>
  hubspot.control('POST', '/faults', { match: { method, pathPrefix }, fault: kind, times });
const lost = (method: string, path: string) => fault(method, path, { kind: 'accept-then-hang' });
const refuses = (status: number) => ({ kind: 'status', status, body: { status: 'error', message: 'no' } });

const NOTES = '/crm/objects/2026-09/notes';
const CONSENT = '/communication-preferences/2026-09/statuses/';
const ENROLMENTS = '/automation/sequences/2026-09/enrollments';
const UPSERT = '/crm/objects/2026-09/0-2/batch/upsert';

describe('the adapter', () => {
  const client = () => new HubspotClient({ baseUrl: hubspot.url, accessToken: secrets.hubspotAccessToken });
  const soon = (ms = 10_000) => AbortSignal.timeout(ms);
  const record = () => ({ type: 'contact', id: contact });

  describe('notes', () => {
    const note = { text: 'Budget < 90k &\nmore', at: '2026-11-21T11:00:00+01:00' };
    const make = (isRepeat = false, of: { type: string; id: string } = record()) =>
      client().createNote({ record: of, note }, { reference: '3f9a2c41b07e5d88', isRepeat }, soon());

    it('are made once, with their reference in the last line', async () => {
      const first = await make();
      expect(await make(true)).toEqual(first);
      expect(await sent('POST', NOTES)).toHaveLength(2); // One of them reads a batch.
      expect(await activitiesOf('notes')).toEqual([
        expect.objectContaining({
          hs_note_body: 'Budget &lt; 90k &amp;<br>more<br><br>Ref. 3f9a2c41b07e5d88',
          hs_timestamp: '2026-11-21T10:00:00Z',
        }),
      ]);
    });

    it('are not made where the look fails', async () => {
      await fault('GET', '/crm/objects/2026-09/0-1/', refuses(500));
      expect(await make(true)).toMatchObject({ outcome: 'unknown' });
      await fault('GET', '/crm/objects/2026-09/0-1/', refuses(400));
      expect(await make(true)).toMatchObject({ outcome: 'unknown' });
      expect(await activitiesOf('notes')).toEqual([]);
    });

    it('are refused where they cannot be tied to the record', async () => {
      expect(await make(false, { type: '2-123', id: '5' })).toMatchObject({
        outcome: 'stop',
        code: 'no-notes-at-type',
      });
      expect(await hubspot.calls()).toEqual([]);
    });
  });

  describe('lists', () => {
    const change = (list: string, how: 'add' | 'remove' = 'add', id = contact) =>
      client().changeList({ record: { type: 'contact', id }, list: { list, change: how } }, soon());

    it('take a record and let it go; once more changes nothing', async () => {
      expect(await change('12')).toEqual({ outcome: 'done', value: {} });
      expect(await change('12')).toEqual({ outcome: 'done', value: {} });
      expect(await membersOf('12')).toEqual([contact]);
      expect(await change('12', 'remove')).toEqual({ outcome: 'done', value: {} });
      expect(await change('12', 'remove')).toEqual({ outcome: 'done', value: {} });
      expect(await membersOf('12')).toEqual([]);
    });

    it('are refused for good that HubSpot fills itself, that are not there, and for who is not there', async () => {
      expect(await change('13')).toMatchObject({ outcome: 'stop', code: 'list-is-dynamic' });
      expect(await change('99')).toMatchObject({ outcome: 'stop', code: 'list-missing' });
      expect(await change('12', 'add', '99')).toMatchObject({ outcome: 'stop', code: 'record-missing' });
    });

    it.each([
      [refuses(403), { outcome: 'stop', code: 'not-allowed' }],
      [refuses(401), { outcome: 'retry', refused: true }],
      [
        { kind: 'status', code: 'TEN_SECONDLY_ROLLING' },
        { outcome: 'retry', refused: true },
      ],
      [refuses(500), { outcome: 'unknown' }],
      [{ kind: 'reset' }, { outcome: 'unknown' }],
    ])('answer %j as %j', async (kind, answer) => {
      await fault('PUT', '/crm/lists/2026-09/', kind);
      expect(await change('12')).toMatchObject(answer);
    });
  });

  describe('consent', () => {
    const grounds = { basis: 'CONSENT_WITH_NOTICE', explanation: 'Asked for it.' };
    const set = (over = {}, isRepeat = false, signal = soon()) =>
      client().setConsent(
        { record: record(), consent: { subscription: '101', status: 'subscribed', email, ...over } },
        isRepeat,
        signal,
      );
    const statusOf = async () => {
      const { results } = await api('GET', `${CONSENT}${encodeURIComponent(email)}?channel=EMAIL`);
      return (results as { status: string }[])[0]?.status;
    };

    it('is set by the address, and looked at before it is set again', async () => {
      expect(await set()).toEqual({ outcome: 'done', value: {} });
      expect(await statusOf()).toBe('SUBSCRIBED');
      expect(await set({}, true)).toEqual({ outcome: 'done', value: {} });
      expect(await sent('POST', CONSENT)).toHaveLength(1);
      expect(await set({ status: 'unsubscribed' }, true)).toEqual({ outcome: 'done', value: {} });
      expect(await statusOf()).toBe('UNSUBSCRIBED');
    });

    it('without its legal basis is refused where the account needs one', async () => {
      await hubspot.control('PUT', '/settings', { dataPrivacy: true });
      expect(await set()).toMatchObject({ outcome: 'stop', code: 'legal-basis-needed' });
      expect(await statusOf()).toBe('NOT_SPECIFIED');
      expect(await set(grounds)).toMatchObject({ outcome: 'done' });
      expect((await sent('POST', CONSENT)).at(-1)?.requestBody).toEqual({
        subscriptionId: 101,
        statusState: 'SUBSCRIBED',
        channel: 'EMAIL',
        legalBasis: 'CONSENT_WITH_NOTICE',
        legalBasisExplanation: 'Asked for it.',
      });
    });

    it.each([
      [refuses(403), { outcome: 'stop', code: 'not-allowed' }],
      [refuses(429), { outcome: 'retry', refused: true }],
      [{ kind: 'html' }, { outcome: 'unknown' }],
      [{ kind: 'reset' }, { outcome: 'unknown', code: 'connection-lost' }],
    ])('answers %j as %j', async (kind, answer) => {
      await fault('POST', CONSENT, kind);
      expect(await set()).toMatchObject(answer);
    });

    it('is unknown where no answer comes in time, and where the look fails', async () => {
      await lost('POST', CONSENT);
      expect(await set({}, false, soon(300))).toMatchObject({ outcome: 'unknown', code: 'deadline' });
      await fault('GET', CONSENT, refuses(500));
      expect(await set({ status: 'unsubscribed' }, true)).toMatchObject({ outcome: 'unknown' });
      expect(await sent('POST', CONSENT)).toHaveLength(1);
    });

    it('of a subscription that is not there is refused, and told without the address', async () => {
      const answer = await set({ subscription: '999' });
      expect(answer).toMatchObject({ outcome: 'stop' });
      expect(JSON.stringify(answer)).not.toContain('example.com');
    });
  });

  describe('sequences', () => {
    const enrol = (sequence = '7', isRepeat = false) =>
      client().enrol(
        { record: record(), sequence: { sequence, sender: 'ben@example.com', user: '7002' } },
        isRepeat,
        soon(),
      );

    it('take a contact once, however often the call is repeated', async () => {
      const first = await enrol();
      expect(first).toMatchObject({ outcome: 'done', value: { id: expect.any(String) as string } });
      expect(await enrol('7', true)).toEqual(first);
      const [call, ...others] = await sent('POST', ENROLMENTS);
      expect(others).toEqual([]);
      expect(call?.requestBody).toEqual({ sequenceId: '7', senderEmail: 'ben@example.com', contactId: contact });
    });

    it('take a contact by a repeat where no call came before it, and refuse one who is in another', async () => {
      expect(await enrol('7', true)).toMatchObject({ outcome: 'done' });
      expect(await enrol('8', true)).toMatchObject({ outcome: 'stop', code: 'VALIDATION_ERROR' });
    });

    it('are not allowed without the seats', async () => {
      await hubspot.control('PUT', '/settings', { sequenceSeats: false });
      expect(await enrol()).toMatchObject({ outcome: 'stop', code: 'not-allowed' });
    });

    it('take nobody where the look fails', async () => {
      for (const status of [500, 400, 403]) {
        await fault('GET', ENROLMENTS, refuses(status));
        expect((await enrol('7', true)).outcome).toMatch(/unknown|retry/);
      }
      expect(await sent('POST', ENROLMENTS)).toEqual([]);
    });
  });

  describe('upserts', () => {
    const upsert = (properties: Record<string, string>, object = 'company', by = 'key') =>
      client().upsert({ record: record(), upsert: { object, by, properties } }, soon());
    const idOf = (answer: unknown) => (answer as { value: { id: string } }).value.id;

    it('create a record of a key, then write to it', async () => {
      const key = `k-${contact}`;
      const first = await upsert({ key, name: 'Example Ltd' });
      expect(await upsert({ key, name: 'Example GmbH' })).toEqual(first);
      expect((await stored('companies', idOf(first))).properties).toMatchObject({ key, name: 'Example GmbH' });
    });

    it('are refused for good where a part of the answer refuses, or the property is not unique', async () => {
      const answer = await upsert({ key: `k-${contact}`, nonsense: 'x' });
      expect(answer).toMatchObject({ outcome: 'stop', code: 'PROPERTY_DOESNT_EXIST' });
      expect((await sent('POST', UPSERT)).at(-1)?.status).toBe(207);
      expect(await upsert({ name: 'x' }, 'company', 'name')).toMatchObject({ outcome: 'stop', code: 'not-unique' });
    });

    it.each([['INTERNAL'], [undefined]])('are unknown where a part of the answer fails by %s', async (category) => {
      const time = '2026-11-21T10:00:00Z';
      const errors = category ? [{ status: 'error', category, message: 'x', context: {} }] : [];
      const body = { status: 'COMPLETE', results: [], numErrors: 1, errors, startedAt: time, completedAt: time };
      await fault('POST', UPSERT, { kind: 'status', status: 207, body });
      expect(await upsert({ key: 'x' })).toMatchObject({ outcome: 'unknown' });
    });

    describe('of a contact by its address', () => {
      const byEmail = (address: string, firstname: string) => upsert({ email: address, firstname }, 'contact', 'email');

      it('look first, then create or change', async () => {
        const address = `new-${email}`;
        const first = await byEmail(address, 'Ada');
        expect(await byEmail(address.toUpperCase(), 'Eve')).toEqual(first);
        expect((await stored('contacts', idOf(first))).properties).toMatchObject({ email: address, firstname: 'Eve' });
        expect(idOf(await byEmail(email, 'Ada'))).toBe(contact);
      });

      it('change whom somebody else has created meanwhile', async () => {
        await fault('GET', '/crm/objects/2026-09/0-1/', refuses(404));
        expect(await byEmail(email, 'Ada')).toEqual({ outcome: 'done', value: { id: contact } });
        expect((await stored('contacts', contact)).properties['firstname']).toBe('Ada');
      });

      it('are refused for good where the address is none, and unknown where a step of it is', async () => {
        expect(await byEmail('nobody', 'Ada')).toMatchObject({ outcome: 'stop', code: 'INVALID_EMAIL' });
        await fault('POST', '/crm/objects/2026-09/0-1', refuses(500));
        expect(await byEmail(`new-${email}`, 'Ada')).toMatchObject({ outcome: 'unknown' });
      });
    });
  });
});

describe('crm-writer', () => {
  let db: TestDatabase;
  let process: Process<never, never, never>;
  let handle: (records: IncomingRecord[]) => Promise<void>;
  const errors: unknown[] = [];

  const recipe = recipeOf(`recipe: r
trigger: { object: contact, property: lifecyclestage, becomes: [lead] }
steps:
  - write:
      properties: { jobtitle: CTO }
      task: { title: Call }
      note: Became a lead.
      lists: { add: [12, 13] }
      consent: { subscription: 101, status: subscribed }
      sequence: { id: 7, sender: ben@example.com, user: 7002 }
      upsert: { object: company, by: key, properties: { key: "\${record.website}", name: "\${record.company}" } }
`);

  beforeEach(async () => {
    db = await testDatabase();
    const properties = { website: `k-${contact}`, company: 'Example Ltd' };
    await hubspot.control('PATCH', `/ui/contacts/${contact}`, { properties });
    const config = {
      HUBSPOT_BASE_URL: hubspot.url,
      HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
      HUBSPOT_PER_TEN_SECONDS: 190,
      HUBSPOT_PER_DAY: 625_000,
      HUBSPOT_TIME_ZONE: 'UTC',
    } as AccountSettings;
    const effects = Object.entries(recordEffects(() => [recipe], accountsFor(config)));
    const started = new Process(
      recordProcess(() => [recipe], '1'),
      {
        pool: db.pool,
        produce: () => Promise.resolve(),
        deadLetter: () => Promise.resolve(),
        // The deadline is the call's own clock, which no test can move.
        effects: Object.fromEntries(
          effects.map(([kind, is]): [string, EffectKind] => [kind, { ...is, deadlineMs: 1_000 }]),
        ),
        concurrency: 10,
        onError: (error) => errors.push(error),
        onParked: (_key, error) => errors.push(error),
      },
    );
    started.start();
    handle = started.handlerFor(Topic.ingressHubspot);
    process = started as never;
  });
  afterEach(async () => {
    await process.stop();
    await db.drop();
    expect(errors.splice(0)).toEqual([]);
  });

  const said = (stage = 'lead') => ({
    objectId: Number(contact),
    propertyName: 'lifecyclestage',
    propertyValue: stage,
  });
  const webhook = (eventId: number, stage?: string) => {
    const occurredAt = Date.UTC(2026, 10, 21, 10, eventId);
    const about = { subscriptionType: 'contact.propertyChange', portalId: 1, changeSource: 'CRM_UI' };
    return change(`webhook-${String(eventId)}`, { ...about, ...said(stage), eventId, occurredAt });
  };
  const workflowCall = (eventId: number) => change(`call-${String(eventId)}`, { ...said(), eventId });

  function change(id: string, body: object): IncomingRecord {
    return {
      topic: Topic.ingressHubspot,
      partition: 0,
      offset: '0',
      timestamp: Date.now(),
      key: `default:contact:${contact}`,
      value: Buffer.from(JSON.stringify(body)),
      headers: {},
      envelope: {
        id,
        source: '/hubspot/default',
        type: HUBSPOT_RECEIVED,
        subject: `contact:${contact}`,
        time: '2026-11-21T10:05:00.000Z',
        tenant: 'default',
        correlationid: id,
      },
    };
  }

  const ends = ['done', 'dead', 'held'];
  const settled = (commands: number) =>
    until(`${String(commands)} calls have ended`, async () => {
      const { rows } = await db.pool.query<{ kind: string; state: string }>('select kind, state from effect');
      const { rows: mail } = await db.pool.query('select from mailbox');
      const ended = rows.filter(({ kind, state }) => kind !== 'hubspot.read' && ends.includes(state));
      return ended.length === commands && rows.every(({ state }) => ends.includes(state)) && mail.length === 0;
    });
  const outcomes = async () => {
    const { rows } = await db.pool.query<{ type: string; data: Record<string, string> }>(
      `select type, data from event where type in ('refrain.action.done.v1', 'refrain.action.rejected.v1')`,
    );
    const named = rows.map(({ type, data }) => [
      data['purpose'],
      type.split('.')[2] === 'done' ? 'done' : data['code'],
    ]);
    return Object.fromEntries(named) as Record<string, string>;
  };
  const allDone = {
    'task/r/write': 'done',
    'note/r/write': 'done',
    'list/r/write/add/12': 'done',
    'list/r/write/add/13': 'list-is-dynamic',
    'consent/r/write': 'done',
    'sequence/r/write': 'done',
    'upsert/r/write': 'done',
  };
  // Beside the actions, the write of the property.
  const CALLS = Object.keys(allDone).length + 1;

  it('does all of it once for one change that comes as webhook, as workflow call, and again', async () => {
    await handle([webhook(1), workflowCall(1)]);
    await handle([webhook(1), webhook(2), workflowCall(2)]);
    await settled(CALLS);
    expect(await outcomes()).toEqual(allDone);
    expect(await activitiesOf('tasks')).toHaveLength(1);
    expect(await activitiesOf('notes')).toHaveLength(1);
    expect(await sent('POST', '/crm/objects/2026-09/tasks')).toHaveLength(1);
    for (const path of [NOTES, CONSENT, ENROLMENTS, UPSERT]) expect(await sent('POST', path)).toHaveLength(1);
    expect(await sent('PUT', '/crm/lists/2026-09/12')).toHaveLength(1);
    expect(await membersOf('12')).toContain(contact);
  });

  it('does it again for another content, and for the same past the cool-down', async () => {
    await handle([webhook(1)]);
    await settled(CALLS);
    await handle([webhook(1 + 24 * 60)]);
    await settled(2 * CALLS - 1);
    expect(await activitiesOf('notes')).toHaveLength(2);
  });

  it.each([
    ['a note', 'POST', NOTES, 'note/r/write'],
    ['a list', 'PUT', '/crm/lists/2026-09/12', 'list/r/write/add/12'],
    ['a consent', 'POST', CONSENT, 'consent/r/write'],
    ['an enrolment', 'POST', ENROLMENTS, 'sequence/r/write'],
    ['another record', 'POST', UPSERT, 'upsert/r/write'],
  ])('finds or repeats what HubSpot has done, where its answer was lost, of %s', async (_, method, path, purpose) => {
    await lost(method, path);
    await handle([webhook(1)]);
    await settled(CALLS);
    expect(await outcomes()).toEqual(allDone);
    const { rows } = await db.pool.query('select repeats from effect where purpose = $1', [purpose]);
    expect(rows).toEqual([{ repeats: 1 }]);
    expect(await activitiesOf('notes')).toHaveLength(1);
    expect(await sent('POST', `${NOTES}/batch`)).toHaveLength(path === NOTES ? 1 : 0);
    for (const once of [CONSENT, ENROLMENTS]) expect(await sent('POST', once)).toHaveLength(1);
  });

  it('rejects what the account may not, and nothing else suffers', async () => {
    await hubspot.control('PUT', '/settings', { sequenceSeats: false, dataPrivacy: true });
    await handle([webhook(1)]);
    await settled(CALLS);
    expect(await outcomes()).toEqual({
      ...allDone,
      'sequence/r/write': 'not-allowed',
      'consent/r/write': 'legal-basis-needed',
    });
    expect((await stored('contacts', contact)).properties['jobtitle']).toBe('CTO');
  });

  it('holds an enrolment of which nobody can tell whether it was made', async () => {
    await lost('POST', ENROLMENTS);
    await fault('GET', ENROLMENTS, refuses(500), 10);
    await handle([webhook(1)]);
    await settled(CALLS);
    const { rows } = await db.pool.query(`select state, repeats from effect where kind = 'hubspot.enrol'`);
    expect(rows).toEqual([{ state: 'held', repeats: 3 }]);
    expect(await sent('POST', ENROLMENTS)).toHaveLength(1);
    expect(await outcomes()).toEqual({ ...allDone, 'sequence/r/write': undefined });
  });
});
