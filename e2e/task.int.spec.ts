import { Topic } from '#libs/contracts';
import { moveReplay, replayItems, replayOf, requestReplay } from '#libs/event-store';
import { boundsOf, LogConsumer, LogProducer, readRange } from '#libs/log';
import { type EffectKind, type ItemPlan, Process } from '#libs/process';
import { HubspotClient, type TaskRequest } from '#libs/vendors/hubspot';
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

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(async () => {
  contact = await made('contacts', { email: `${String(Date.now())}@example.com` });
  await hubspot.control('DELETE', '/calls');
  await hubspot.control('DELETE', '/faults');
});

const made = async (type: string, properties: Record<string, string>) =>
  (await hubspot.control<{ id: string }>('POST', `/ui/${type}`, { properties })).id;

type Stored = { properties: Record<string, string>; associations: Record<string, string[]> };
const tasksOf = async (id: string, type = 'contacts') => {
  const record = await hubspot.control<Stored>('GET', `/objects/${type}/${id}`);
  const ids = record.associations['tasks'] ?? [];
  const tasks = await Promise.all(ids.map((task) => hubspot.control<Stored>('GET', `/objects/tasks/${task}`)));
  return tasks.map(({ properties }, n) => ({ id: ids[n], properties }));
};
const posts = async () =>
  (await hubspot.calls()).filter(({ method, path }) => method === 'POST' && path === '/crm/objects/2026-09/tasks');
const fault = (method: string, pathPrefix: string, kind: object, times = 1) =>
  hubspot.control('POST', '/faults', { match: { method, pathPrefix }, fault: kind, times });

describe('the adapter', () => {
  const task = { title: 'Call Maria', dueAt: '2026-11-22T11:00:00+01:00' };
  const create = (over: Partial<TaskRequest> = {}, isRepeat = false, reference = '3f9a2c41b07e5d88') =>
    new HubspotClient({ baseUrl: hubspot.url, accessToken: secrets.hubspotAccessToken }).createTask(
      { record: { type: 'contact', id: contact }, task, ...over },
      { reference, isRepeat },
      AbortSignal.timeout(10_000),
    );
  const associationsOf = `/crm/objects/2026-09/0-1/`;

  it('makes nothing where the look fails, and says that the outcome is unknown', async () => {
    await fault('GET', associationsOf, { kind: 'status', status: 500 });
    expect(await create({}, true)).toMatchObject({ outcome: 'unknown' });
    expect(await create({ record: { type: 'contact', id: '99' } }, true)).toMatchObject({ outcome: 'unknown' });
    await create({}, false, 'other');
    const shown = { status: 'COMPLETE', results: [], numErrors: 1, errors: [{ category: 'INTERNAL', message: '' }] };
    const dates = { startedAt: '2026-11-21T10:00:00Z', completedAt: '2026-11-21T10:00:00Z' };
    await fault('POST', '/crm/objects/2026-09/tasks/batch/read', {
      kind: 'status',
      status: 207,
      body: { ...shown, ...dates },
    });
    expect(await create({}, true)).toMatchObject({ outcome: 'unknown', code: 'look-incomplete' });
    await fault('GET', associationsOf, { kind: 'status', code: 'TEN_SECONDLY_ROLLING' });
    expect(await create({}, true)).toMatchObject({ outcome: 'retry', refused: true });
    expect(await posts()).toHaveLength(1);
  });

  it('is refused for good where the owner is none, and where tasks cannot be tied to the record', async () => {
    expect(await create({ task: { ...task, ownerId: '7001' } })).toMatchObject({
      outcome: 'stop',
      code: 'INVALID_OWNER_ID',
    });
    await hubspot.control('DELETE', '/calls');
    expect(await create({ record: { type: '2-123', id: '5' } })).toMatchObject({
      outcome: 'stop',
      code: 'no-tasks-at-type',
    });
    expect(await hubspot.calls()).toEqual([]);
  });

  it('writes what is wanted, as text, with its reference in the last line', async () => {
    const wanted = { ...task, body: 'Budget < 90k &\nmore', priority: 'HIGH', ownerId: '701' } as const;
    const answer = await create({ task: wanted });
    const [found] = await tasksOf(contact);
    expect(answer).toEqual({ outcome: 'done', value: { id: found?.id } });
    expect(found?.properties).toMatchObject({
      hs_task_subject: 'Call Maria',
      hs_task_body: 'Budget &lt; 90k &amp;<br>more<br><br>Ref. 3f9a2c41b07e5d88',
      hs_task_priority: 'HIGH',
      hs_task_status: 'NOT_STARTED',
      hs_task_type: 'TODO',
      hs_timestamp: '2026-11-22T10:00:00Z',
      hubspot_owner_id: '701',
    });
  });

  it.each([
    ['company', 'companies', 192],
    ['deal', 'deals', 216],
    ['ticket', 'tickets', 230],
  ])('ties a task to a %s', async (type, plural, typeId) => {
    const id = await made(plural, {});
    expect(await create({ record: { type, id } })).toMatchObject({ outcome: 'done' });
    expect(await tasksOf(id, plural)).toHaveLength(1);
    expect(JSON.stringify((await posts())[0]?.requestBody)).toContain(`"associationTypeId":${String(typeId)}`);
    expect(await create({ record: { type, id } }, true)).toMatchObject({ outcome: 'done' });
    expect(await tasksOf(id, plural)).toHaveLength(1);
  });

  it('finds its task among as many as a record may have', async () => {
    const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 204 }];
    const other = { properties: { hs_timestamp: '1' }, associations: [{ to: { id: contact }, types }] };
    for (let n = 0; n < 6; n += 1) {
      const body = JSON.stringify({ inputs: Array.from({ length: 90 }, () => other) });
      const headers = { authorization: `Bearer ${secrets.hubspotAccessToken}`, 'content-type': 'application/json' };
      await fetch(`${hubspot.url}/crm/objects/2026-09/tasks/batch/create`, { method: 'POST', headers, body });
    }
    const first = await create();
    expect(await create({}, true)).toEqual(first);
    expect(await posts()).toHaveLength(1);
  });
});

describe('crm-writer', () => {
  /** What the model says of a lead, and what the recipe makes of it. */
  const said = { title: 'Call Maria', owner: '701', mail: 'no' };
  const recipeOf = (title: string) =>
    judging(
      'lead-qualified',
      ['title', 'owner', 'mail'],
      `  - name: call
    write:
      properties: { jobtitle: CTO }
      task: { title: "${title}", priority: HIGH, owner: "\${steps.lead.owner}" }
  - name: mail
    when: steps.lead.mail == "yes"
    write: { task: { title: "Write: ${title}" } }`,
    );
  let connection: ReturnType<typeof testConnection>;
  let db: TestDatabase;
  let producer: LogProducer;
  let running: { stop(): Promise<void> }[] = [];
  const errors: unknown[] = [];

  beforeEach(async () => {
    connection = testConnection('task');
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

  /** Starts crm-writer on the log, with a recipe that words its tasks so. */
  function start(title = '${steps.lead.title}', deadlineMs = 1_000): void {
    const config = {
      HUBSPOT_BASE_URL: hubspot.url,
      HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
      HUBSPOT_PER_TEN_SECONDS: 190,
      HUBSPOT_PER_DAY: 625_000,
      HUBSPOT_TIME_ZONE: 'UTC',
    } as AccountSettings;
    const recipe = recipeOf(title);
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
          'hubspot.create-task': { ...(effects['hubspot.create-task'] as EffectKind), deadlineMs },
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
  async function publish(number: number, answer = said, { id = `wish-${String(number)}-${contact}` } = {}) {
    const time = new Date(Date.UTC(2026, 10, 21, 10, number)).toISOString();
    const about = { recipe: 'lead-qualified', recipeVersion: 'v1', enrichment: number, triggeredAt: time };
    const data = { ...about, ask: 'lead', model: 'm', answer, tokens: { input: 1, output: 1 } };
    await producer.publish([
      {
        topic: Topic.enrichment,
        key: `default:contact:${contact}`,
        value: Buffer.from(JSON.stringify(data)),
        envelope: {
          id,
          source: '/enrichment-service',
          type: 'refrain.enrichment.completed.v1',
          subject: `contact:${contact}`,
          time,
          tenant: 'default',
          correlationid: `cause-${String(number)}`,
        },
      },
    ]);
  }

  const effectsOf = async () =>
    (
      await db.pool.query<{ state: string; repeats: number; generation: number }>(
        `select state, repeats, generation from effect where kind = 'hubspot.create-task' order by seq`,
      )
    ).rows;
  const events = async () =>
    (
      await db.pool.query<{ type: string; data: { id?: string; code?: string } }>(
        `select type, data from event where type like 'refrain.action.%' and subject = $1 order by position`,
        [`contact:${contact}`],
      )
    ).rows;
  const decided = (n: number) =>
    until(`${String(n)} decided`, async () => {
      const { rows } = await db.pool.query<{ n: number }>(
        `select count(*)::int as n from inbox where key like '%' || $1`,
        [contact],
      );
      return rows[0]?.n === n;
    });
  const settled = (n: number) =>
    until(`${String(n)} tasks have ended`, async () => {
      const ended = (await effectsOf()).filter(({ state }) => ['done', 'dead', 'held'].includes(state));
      const { rows } = await db.pool.query('select from mailbox');
      return ended.length === n && rows.length === 0;
    });

  it('makes one task of each trigger, however often it is told of it', async () => {
    start();
    await publish(1);
    await publish(1);
    await publish(1, { ...said, title: 'said again otherwise' }, { id: `again-${contact}` });
    await publish(2);
    await decided(3);
    await settled(2);
    const tasks = await tasksOf(contact);
    expect(await posts()).toHaveLength(2);
    expect(tasks.map(({ properties }) => properties['hs_task_subject'])).toEqual(['Call Maria', 'Call Maria']);
    expect(new Set(tasks.map(({ properties }) => properties['hs_task_body'])).size).toBe(2);
    const told = await events();
    expect(told.map(({ type }) => type.split('.')[2]).sort()).toEqual(['done', 'done', 'wanted', 'wanted']);
    expect(told.flatMap(({ data }) => data.id ?? []).sort()).toEqual(tasks.map(({ id }) => id).sort());
    // Nobody looked for what nobody could have made.
    expect((await hubspot.calls()).filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it('finds the task whose answer was lost, and makes no second one', async () => {
    start();
    await fault('POST', '/crm/objects/2026-09/tasks', { kind: 'accept-then-hang' });
    await publish(1);
    await settled(1);
    const [task] = await tasksOf(contact);
    expect(await posts()).toHaveLength(1);
    expect(await effectsOf()).toEqual([{ state: 'done', repeats: 1, generation: 1 }]);
    expect((await events()).at(-1)?.data.id).toBe(task?.id);
  });

  it('makes the task that never came to HubSpot, once it could look for it', async () => {
    start();
    await fault('POST', '/crm/objects/2026-09/tasks', { kind: 'reset' });
    await fault('GET', '/crm/objects/2026-09/0-1/', { kind: 'status', status: 500 });
    await publish(1);
    await settled(1);
    expect(await tasksOf(contact)).toHaveLength(1);
    expect(await effectsOf()).toEqual([{ state: 'done', repeats: 2, generation: 1 }]);
    // The first was cut before its effect; between it and the second stands a look that failed, and one that did not.
    expect(await posts()).toHaveLength(2);
  });

  it('tells why a task was refused', async () => {
    start();
    await publish(1, { ...said, owner: '999' });
    await settled(1);
    expect(await tasksOf(contact)).toEqual([]);
    expect((await events()).at(-1)).toMatchObject({
      type: 'refrain.action.rejected.v1',
      data: { recipe: 'lead-qualified', step: 'call', rootCause: 'cause-1', code: 'INVALID_OWNER_ID' },
    });
  });

  it('replayed makes nothing; with a mended text only where told to do it once more', async () => {
    start();
    await publish(1, { ...said, mail: 'yes' });
    await settled(2);
    expect(await replay()).toEqual(['same: skipped, skipped']);
    await stop();
    start('${steps.lead.title} Johnson');
    expect(await replay()).toEqual(['differs: changed, changed']);
    expect(await posts()).toHaveLength(2);
    await replay(true);
    await settled(4);
    expect((await tasksOf(contact)).map(({ properties }) => properties['hs_task_subject'])).toEqual([
      'Call Maria',
      'Write: Call Maria',
      'Call Maria Johnson',
      'Write: Call Maria Johnson',
    ]);
  });

  /** Plans and applies; resolves to what was planned for the tasks of each record. */
  async function replay(redo = false): Promise<string[]> {
    const selection = { subject: `contact:${contact}` };
    const asked = { service: 'crm-writer', topic: Topic.enrichment, selection, by: 'test' };
    const id = await requestReplay(db.pool, asked);
    const reaches = (state: string) =>
      until(`the replay is ${state}`, async () => {
        const found = await replayOf(db.pool, id);
        if (found?.state === 'failed') throw new Error(found.error);
        return found?.state === state;
      });
    await reaches('planned');
    const items = await replayItems(db.pool, id, { limit: 100 });
    await moveReplay(db.pool, id, ['planned'], 'applying', { redo });
    await reaches('done');
    return items.map(({ plan }) => {
      const { then, effects } = plan as ItemPlan;
      const tasks = effects.filter(({ kind }) => kind === 'hubspot.create-task');
      return `${then}: ${tasks.map(({ verdict }) => verdict).join(', ')}`;
    });
  }
});
