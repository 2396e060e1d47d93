import type { Answer } from '#libs/contracts';
import { Topic } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import { type EffectKind, Process } from '#libs/process';
import type { UpdateRequest } from '#libs/vendors/hubspot';
import { testDatabase, type TestDatabase } from '../../../libs/event-store/src/testing/test-database';
import { until } from '../../../libs/event-store/src/testing/until';
import { judging } from '../../../libs/recipes/src/testing/recipe-of';
import { Published } from '../../../libs/process/src/testing/toy';
import { recordProcess } from './record.source';

const recipe = judging('r', ['lead_score'], '  - write: { properties: { lead_score: "${steps.lead.lead_score}" } }');

let db: TestDatabase;
let running: Process<never, never, never>[] = [];
const errors: unknown[] = [];
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.map((p) => p.stop()));
  running = [];
  expect(errors.splice(0)).toEqual([]);
  await db.drop();
});

function start(perform: (request: UpdateRequest) => Promise<Answer>, over: Partial<EffectKind> = {}) {
  const published = new Published();
  const kind: EffectKind = { is: 'command', deadlineMs: 10_000, maxAttempts: 3, maxRepeats: 5, perform, ...over };
  const process = new Process(
    recordProcess(() => [recipe], '1'),
    {
      pool: db.pool,
      produce: published.produce,
      deadLetter: () => Promise.resolve(),
      effects: { 'hubspot.update': kind },
      concurrency: 5,
      onError: (error) => errors.push(error),
      onParked: (_key, error) => errors.push(error),
    },
  );
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(Topic.enrichment), published };
}

/** An enrichment of contact 7 that wants one property; later numbers are newer. */
function wish(number: number, score: string): IncomingRecord {
  const time = new Date(Date.UTC(2026, 10, 21, 10, number)).toISOString();
  const about = { recipe: 'r', recipeVersion: '1', enrichment: number, triggeredAt: time };
  const tokens = { input: 1, output: 1 };
  const data = { ...about, ask: 'lead', model: 'm', answer: { lead_score: score }, tokens };
  return {
    topic: Topic.enrichment,
    partition: 0,
    offset: '0',
    timestamp: Date.now(),
    key: 'default:contact:7',
    value: Buffer.from(JSON.stringify(data)),
    headers: {},
    envelope: {
      id: `wish-${String(number)}`,
      source: '/enrichment-service',
      type: 'refrain.enrichment.completed.v1',
      subject: 'contact:7',
      time,
      tenant: 'default',
      correlationid: `cause-${String(number)}`,
    },
  };
}

const done: Answer = { outcome: 'done', value: { modifiedAt: '' } };
const states = async () =>
  (await db.pool.query<{ state: string }>('select state from effect order by seq')).rows.map((row) => row.state);

it('sends only the newest wanted state of a write that waited for a limit, in its place in the queue', async () => {
  const sent: string[] = [];
  const perform = ({ properties }: UpdateRequest) => {
    sent.push(properties['lead_score'] ?? '');
    return Promise.resolve(done);
  };
  const { handle, published } = start(perform, { limits: [{ name: 'one', most: 1, perMs: 60_000 }] });
  await handle([wish(1, '10')]);
  await published.until(() => published.of('contact:7').some((e) => e.type === 'refrain.record.updated.v1'));
  await handle([wish(2, '20')]);
  const owedAt = async () =>
    (await db.pool.query<{ at: Date }>('select owed_at as at from effect order by seq desc limit 1')).rows[0]?.at;
  const place = await owedAt();
  await handle([wish(3, '30')]);
  await until(async () => (await states()).join() === 'done,superseded,owed');
  await handle([wish(4, '40')]);
  await until(async () => (await states()).join() === 'done,superseded,superseded,owed');
  expect(await owedAt()).toEqual(place);
  await db.moveClock(61_000);
  await until(async () => (await states()).join() === 'done,superseded,superseded,done');
  expect(sent).toEqual(['10', '40']);
});

it('writes the newest wanted state again when an older attempt was answered after a newer write', async () => {
  let wakeFirst: (answer: Answer) => void = () => undefined;
  const first = new Promise<Answer>((resolve) => (wakeFirst = resolve));
  const portal: string[] = [];
  let calls = 0;
  const { handle } = start(({ properties }) => {
    calls += 1;
    const value = properties['lead_score'] ?? '';
    // The first call reaches HubSpot only when it is answered: long after it was given up and repeated.
    if (calls === 1) return first.finally(() => portal.push(value));
    portal.push(value);
    return Promise.resolve(done);
  });
  await handle([wish(1, '10')]);
  await until(() => calls === 1);
  await db.moveClock(21_000);
  await until(async () => (await states())[0] === 'unknown');
  await db.moveClock(11_000);
  await until(async () => (await states())[0] === 'done');
  await handle([wish(2, '20')]);
  await until(async () => (await states()).join() === 'done,done');
  expect(portal).toEqual(['10', '20']);
  wakeFirst(done);
  await until(async () => (await states()).join() === 'done,done,done');
  expect(portal).toEqual(['10', '20', '10', '20']);
});
