import { type TimelineForm, Topic } from '#libs/contracts';
import { moveReplay, replayItems, replayOf, requestReplay } from '#libs/event-store';
import { boundsOf, LogConsumer, LogProducer, readRange } from '#libs/log';
import { type EffectKind, type ItemPlan, Process } from '#libs/process';
import { HubspotClient } from '#libs/vendors/hubspot';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { createTopics, testConnection } from '../libs/log/src/testing/log-fixture';
import { judging } from '../libs/recipes/src/testing/recipe-of';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
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
  await hubspot.control('DELETE', '/calls');
  contact = await made('contacts', { email: `lead-${String((counted += 1))}@example.com` });
});

const EVENTS = '/integrators/timeline/2026-03/events';
const NOTES = '/crm/objects/2026-09/notes';
const LOOK = '/crm/objects/2026-09/0-1/';

const made = async (type: string, properties: Record<string, string>) =>
  (await hubspot.control<{ id: string }>('POST', `/ui/${type}`, { properties })).id;
const fault = (method: string, pathPrefix: string, kind: object, times = 1) =>
  hubspot.control('POST', '/faults', { match: { method, pathPrefix }, fault: kind, times });
const told = async () =>
  (await hubspot.control<{ events: { id: string; objectId: string }[] }>('GET', '/app-events')).events.filter(
    ({ objectId }) => objectId === contact,
  );
type Stored = { properties: Record<string, string>; associations: Record<string, string[] | undefined> };
const notes = async () => {
  const ids = (await hubspot.control<Stored>('GET', `/objects/contacts/${contact}`)).associations['notes'] ?? [];
  const all = await Promise.all(ids.map((id) => hubspot.control<Stored>('GET', `/objects/notes/${id}`)));
  return all.map(({ properties }) => properties);
};
const sent = async (path: string) =>
  (await hubspot.calls()).filter((call) => call.method === 'POST' && call.path === path).length;

describe('the adapter', () => {
  const tell = (form: TimelineForm, { key = contact, isRepeat = false, type = 'video_ready', token = '' } = {}) =>
    new HubspotClient({ baseUrl: hubspot.url, accessToken: token || secrets.hubspotAccessToken }).tellTimeline(
      {
        record: { type: 'contact', id: contact },
        event: { type, properties: { video_id: 'v<1>' }, at: '2026-11-21T11:00:00+01:00' },
      },
      form,
      { key, reference: '3f9a2c41b07e5d88', isRepeat },
      AbortSignal.timeout(10_000),
    );

  it('tells a timeline of an event once, however often it is said', async () => {
    const answer = { outcome: 'done', value: { id: contact } };
    expect(await tell('events')).toEqual(answer);
    expect(await tell('events')).toEqual(answer);
    expect(await tell('events', { isRepeat: true })).toEqual(answer);
    expect(await told()).toEqual([
      {
        id: contact,
        eventTypeName: 'video_ready',
        objectId: contact,
        properties: { video_id: 'v<1>' },
        timestamp: '2026-11-21T11:00:00+01:00',
      },
    ]);
    expect(await notes()).toEqual([]);
  });

  it('says in a note what the event would say, and finds the note where it is said again', async () => {
    const first = await tell('notes');
    expect(first).toMatchObject({ outcome: 'done' });
    expect(await tell('notes', { isRepeat: true })).toEqual(first);
    expect(await notes()).toEqual([
      expect.objectContaining({
        hs_note_body: 'Video ready<br>2026-11-21 10:00 UTC<br><br>- Video id: v&lt;1&gt;<br><br>Ref. 3f9a2c41b07e5d88',
        hs_timestamp: '2026-11-21T10:00:00Z',
      }),
    ]);
    expect(await told()).toEqual([]);
  });

  it('sends no event where an earlier call made a note of it, nor where it cannot be seen whether it did', async () => {
    const first = await tell('notes');
    await fault('GET', LOOK, { kind: 'status', status: 500 });
    expect(await tell('events', { isRepeat: true })).toMatchObject({ outcome: 'unknown' });
    expect(await tell('events', { isRepeat: true })).toEqual(first);
    expect(await told()).toEqual([]);
  });

  it('sends an event again for an app that may see no notes', async () => {
    await hubspot.control('PUT', '/tokens', { token: 'events-only', scopes: ['timeline'] });
    expect(await tell('events', { isRepeat: true, token: 'events-only' })).toMatchObject({ outcome: 'done' });
    expect(await told()).toHaveLength(1);
  });

  it('is refused for good where the app has no leave or no scope, and where the type is not declared', async () => {
    expect(await tell('events', { type: 'nonsense' })).toMatchObject({ outcome: 'stop', code: 'VALIDATION_ERROR' });
    await hubspot.control('PUT', '/tokens', { token: 'notes-only', scopes: ['crm.objects.contacts.write'] });
    const refused = { outcome: 'stop', code: 'events-not-allowed' };
    expect(await tell('events', { token: 'notes-only' })).toMatchObject(refused);
    await hubspot.control('PUT', '/app-events', { allowed: false });
    expect(await tell('events')).toMatchObject(refused);
    expect(await told()).toEqual([]);
    expect(await tell('notes')).toMatchObject({ outcome: 'done' });
  });

  it('does not know whether an event was told where HubSpot fails', async () => {
    await fault('POST', '/integrators', { kind: 'html', status: 502 });
    expect(await tell('events')).toMatchObject({ outcome: 'unknown' });
  });
});

describe('crm-writer', () => {
  const recipe = judging(
    'lead-qualified',
    ['title'],
    `  - name: told
    write: { event: { type: video_ready, properties: { video_id: "\${steps.lead.title}" } } }`,
  );
  let connection: ReturnType<typeof testConnection>;
  let db: TestDatabase;
  let producer: LogProducer;
  let running: { stop(): Promise<void> }[] = [];
  const errors: unknown[] = [];

  beforeEach(async () => {
    connection = testConnection('timeline');
    const topic = { name: Topic.enrichment, partitions: 1, retentionMs: 3_600_000, says: '' };
    [db] = await Promise.all([testDatabase(), createTopics(connection, [topic])]);
    producer = new LogProducer(connection);
  });
  afterEach(async () => {
    await stop();
    await producer.close();
    await db.drop();
    expect(errors.splice(0)).toEqual([]);
  });

  async function stop(): Promise<void> {
    for (const each of running.splice(0)) await each.stop();
  }

  /** Starts crm-writer on the log, with the account set so. */
  function start(timeline: TimelineForm): void {
    const config = {
      HUBSPOT_BASE_URL: hubspot.url,
      HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
      HUBSPOT_PER_TEN_SECONDS: 190,
      HUBSPOT_PER_DAY: 625_000,
      HUBSPOT_TIME_ZONE: 'UTC',
      HUBSPOT_TIMELINE: timeline,
    } as AccountSettings;
    const effects = recordEffects(() => [recipe], accountsFor(config));
    const process = new Process(
      recordProcess(() => [recipe], '1'),
      {
        pool: db.pool,
        produce: () => Promise.resolve(),
        deadLetter: () => Promise.resolve(),
        // The deadline is the call's own clock, which no test can move.
        effects: {
          ...effects,
          'hubspot.send-event': { ...(effects['hubspot.send-event'] as EffectKind), deadlineMs: 1_000 },
        },
        concurrency: 5,
        log: {
          bounds: (range) => boundsOf(connection, range),
          read: (topic, bounds, onRecords) => readRange(connection, topic, bounds, onRecords),
        },
        onError: (error) => errors.push(error),
        onParked: (_key, error) => errors.push(error),
      },
    );
    process.start();
    const handlers = new Map([[Topic.enrichment, process.handlerFor(Topic.enrichment)]]);
    const consumer = new LogConsumer(connection, { groupId: 'crm-writer' }, handlers);
    consumer.start();
    running = [{ stop: () => consumer.close() }, process];
  }

  /** An enrichment, as enrichment-service publishes it. */
  async function publish() {
    const time = '2026-11-21T10:00:00.000Z';
    const about = { recipe: 'lead-qualified', recipeVersion: 'v1', enrichment: 1, triggeredAt: time };
    const data = { ...about, ask: 'lead', model: 'm', answer: { title: 'v1' }, tokens: { input: 1, output: 1 } };
    await producer.publish([
      {
        topic: Topic.enrichment,
        key: `default:contact:${contact}`,
        value: Buffer.from(JSON.stringify(data)),
        envelope: {
          id: `wish-${contact}`,
          source: '/enrichment-service',
          type: 'refrain.enrichment.completed.v1',
          subject: `contact:${contact}`,
          time,
          tenant: 'default',
          correlationid: 'cause-1',
        },
      },
    ]);
  }

  const states = async () =>
    (
      await db.pool.query<{ state: string }>(
        `select state from effect where kind = 'hubspot.send-event' order by generation`,
      )
    ).rows.map(({ state }) => state);
  const reaches = (state: string) =>
    until(`the event is ${state}`, async () => {
      const { rows } = await db.pool.query('select from mailbox');
      return (await states()).at(-1) === state && rows.length === 0;
    });
  const rejections = async () =>
    (
      await db.pool.query<{ data: { code: string; reason: string } }>(
        `select data from event where type = 'refrain.action.rejected.v1'`,
      )
    ).rows.map(({ data: { code, reason } }) => [code, reason]);

  it.each<[TimelineForm, TimelineForm, number, number]>([
    ['notes', 'events', 0, 1],
    ['events', 'notes', 1, 0],
  ])('told by %s, a replay tells nothing once the account is set to %s', async (before, after, events, made) => {
    start(before);
    await publish();
    await reaches('done');
    await stop();
    start(after);
    expect(await replay()).toEqual(['same: skipped']);
    expect([(await told()).length, (await notes()).length]).toEqual([events, made]);
    expect([await sent(EVENTS), await sent(NOTES)]).toEqual([events, made]);
  });

  it('finds the note whose answer was lost, and sends no event where the account was set otherwise meanwhile', async () => {
    start('notes');
    await fault('POST', NOTES, { kind: 'accept-then-hang' });
    await fault('GET', LOOK, { kind: 'status', status: 500 }, 100);
    await publish();
    await until('the note is looked for', async () =>
      (await hubspot.calls()).some(({ method, path }) => method === 'GET' && path.startsWith(LOOK)),
    );
    await stop();
    await hubspot.control('DELETE', '/faults');
    start('events');
    await reaches('done');
    expect([(await told()).length, (await notes()).length]).toEqual([0, 1]);
  });

  it('says what helps where HubSpot has not approved events; set to notes, a replay makes the note', async () => {
    await hubspot.control('PUT', '/app-events', { allowed: false });
    start('events');
    await publish();
    await reaches('dead');
    expect(await rejections()).toEqual([
      ['events-not-allowed', expect.stringContaining("events need HubSpot's approval")],
    ]);
    await stop();
    start('notes');
    expect(await replay()).toEqual(['same: again']);
    await reaches('done');
    expect((await notes()).map(({ hs_note_body: body }) => body)).toEqual([
      expect.stringContaining('Video ready<br>2026-11-21 10:00 UTC'),
    ]);
    expect(await told()).toEqual([]);
  });

  /** Plans and applies; resolves to what was planned for the events of each record. */
  async function replay(): Promise<string[]> {
    const selection = { subject: `contact:${contact}` };
    const id = await requestReplay(db.pool, { service: 'crm-writer', topic: Topic.enrichment, selection, by: 'test' });
    const is = (state: string) =>
      until(`the replay is ${state}`, async () => {
        const found = await replayOf(db.pool, id);
        if (found?.state === 'failed') throw new Error(found.error);
        return found?.state === state;
      });
    await is('planned');
    const items = await replayItems(db.pool, id, { limit: 100 });
    await moveReplay(db.pool, id, ['planned'], 'applying', { redo: false });
    await is('done');
    return items.map(({ plan }) => {
      const { then, effects } = plan as ItemPlan;
      const events = effects.filter(({ kind }) => kind === 'hubspot.send-event');
      return `${then}: ${events.map(({ verdict }) => verdict).join(', ')}`;
    });
  }
});
