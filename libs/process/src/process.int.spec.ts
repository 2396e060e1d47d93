import type { Answer } from '#libs/contracts';
import { INPUT_PARKED } from '#libs/contracts';
import { openPool } from '#libs/event-store';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import type { EffectKind } from './effect-kind';
import { Process, type Surroundings } from './process';
import { Published, TOY_TOPIC, toyCall, toyProcess, wordRecord } from './testing/toy';

let db: TestDatabase;
const running: Process<never, never, never>[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((p) => p.stop()));
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await db.drop();
});

const done = (value: unknown): Answer => ({ outcome: 'done', value });

function start(service: string, effects: Record<string, EffectKind>, over: Partial<Surroundings> = {}) {
  const published = new Published();
  const dead: string[] = [];
  const process = new Process(toyProcess(service), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: (record, error) => {
      dead.push(`${record.offset} ${error.message}`);
      return Promise.resolve();
    },
    effects,
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
    ...over,
  });
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), published, dead };
}

const heard = (word: string, n: number) => ({ type: 'refrain.word.heard.v1', data: { word, n } });
const answered = (n: number, answer: string) => ({ type: 'refrain.word.answered.v1', data: { n, answer } });

it('decides a record, performs what it owes once and publishes events in stream order', async () => {
  const calls: unknown[] = [];
  const { handle, published } = start(
    'toy-main',
    toyCall((request) => {
      calls.push(request);
      return Promise.resolve(done('yes'));
    }),
  );
  await handle([wordRecord('contact:1', { word: 'hello' })]);
  await published.until(() => published.of('contact:1').length === 2);
  expect(published.of('contact:1')).toEqual([heard('hello', 1), answered(1, 'yes')]);
  expect(calls).toEqual([{ word: 'hello', n: 1 }]);
  expect(published.records.map((r) => [r.topic, r.key, r.envelope.id, r.envelope.correlationid])).toEqual([
    ['toy.events.v1', 'default:contact:1', 'toy-default:contact:1@1', expect.any(String)],
    ['toy.events.v1', 'default:contact:1', 'toy-default:contact:1@2', published.records[0]?.envelope.correlationid],
  ]);
});

it('publishes under the subject that a decision speaks of; its outcome still comes to the stream, in its order', async () => {
  const { handle, published } = start(
    'toy-merged',
    toyCall(() => Promise.resolve(done('yes'))),
  );
  await handle([wordRecord('contact:51', { word: 'hello', speaksOf: 'contact:52' })]);
  await published.until(() => published.of('contact:51').length === 1);
  expect(published.of('contact:52')).toEqual([heard('hello', 1)]);
  expect(published.of('contact:51')).toEqual([answered(1, 'yes')]);
  expect(published.records.map(({ key, envelope }) => [key, envelope.id])).toEqual([
    ['default:contact:52', 'toy-default:contact:51@1'],
    ['default:contact:51', 'toy-default:contact:51@2'],
  ]);
  const { rows } = await db.pool.query(`select subject from effect where service = 'toy-merged'`);
  expect(rows).toEqual([{ subject: 'contact:51' }]);
});

it('makes one of a record that is delivered many times, by two replicas at once', async () => {
  let calls = 0;
  const effects = toyCall(() => {
    calls += 1;
    return Promise.resolve(done('once'));
  });
  const one = start('toy-twice', effects);
  const two = start('toy-twice', effects);
  const record = wordRecord('contact:2', { word: 'again' }, { id: 'same' });
  await Promise.all([one, two, one, two, one, two].map(({ handle }) => handle([record, record])));
  const both = () => [...one.published.of('contact:2'), ...two.published.of('contact:2')];
  await Promise.race([one, two].map(({ published }) => published.until(() => both().length >= 2)));
  expect(both()).toEqual([heard('again', 1), answered(1, 'once')]);
  expect(calls).toBe(1);
});

it('counts every word of one stream that many replicas hear at once', async () => {
  const replicas = [1, 2, 3, 4].map(() =>
    start(
      'toy-many',
      toyCall(() => Promise.resolve(done(''))),
    ),
  );
  const words = Array.from({ length: 40 }, (_, i) => wordRecord('contact:3', { word: `w${String(i)}` }));
  await Promise.all(words.map(async (word, i) => replicas[i % 4]?.handle([word])));
  const { rows } = await db.pool.query<{ n: number }>(
    `select (data->>'n')::int as n from event where stream_id = 'toy-default:contact:3' and type like '%heard%' order by version`,
  );
  expect(rows.map((r) => r.n)).toEqual(words.map((_, i) => i + 1));
});

it('parks the key of an input whose handling fails; what follows for it waits in order, other keys go on', async () => {
  // The answer to "before" comes only after the key was parked.
  const parked = Promise.withResolvers<undefined>();
  const { handle, published } = start(
    'toy-park',
    toyCall(async (request: { word: string }) => {
      if (request.word === 'before') await parked.promise;
      return done('');
    }),
  );
  const bug = wordRecord('contact:4', { word: 'bug' }, { id: 'bug-4' });
  await handle([
    wordRecord('contact:4', { word: 'before' }),
    bug,
    wordRecord('contact:4', { word: 'after' }, { id: 'after-4' }),
    wordRecord('contact:5', { word: 'other' }),
  ]);
  await handle([bug, wordRecord('contact:4', { word: 'later' }, { id: 'later-4' })]);
  parked.resolve(undefined);
  await published.until(() => published.of('contact:5').length === 2 && published.of('contact:4').length >= 2);
  expect(published.of('contact:4').map((e) => e.type)).toEqual(['refrain.word.heard.v1', INPUT_PARKED]);
  const announced = published.records.find((r) => r.envelope.type === INPUT_PARKED);
  expect(announced?.topic).toBe('toy-park.dlq');
  expect(JSON.parse(announced?.value.toString() ?? '')).toEqual({
    service: 'toy-park',
    inputKey: 'default:contact:4',
    input: 'bug-4',
    code: 'bug',
    errorClass: 'TypeError',
    reason: 'a bug in decide',
  });
  const waiting = async () =>
    (
      await db.pool.query<{ key: string; kind: string }>(
        `select key, kind from mailbox where service = 'toy-park' and parked order by id`,
      )
    ).rows;
  await until(async () => (await waiting()).length === 4);
  const [first, second, third, last] = await waiting();
  expect([first?.key, second?.key, third?.key]).toEqual(['bug-4', 'after-4', 'later-4']);
  expect(last?.kind).toBe('outcome');
});

it('sends what cannot be read to the dead letter topic and goes on', async () => {
  const { handle, published, dead } = start(
    'toy-poison',
    toyCall(() => Promise.resolve(done(''))),
  );
  const noEnvelope = { ...wordRecord('contact:6', { word: 'x' }), envelope: undefined, offset: '3' };
  await handle([
    { ...wordRecord('contact:6', '{"word":'), offset: '1' },
    { ...wordRecord('contact:6', '{"speech":1}'), offset: '2' },
    noEnvelope,
    wordRecord('contact:6', { word: 'good' }),
  ]);
  await published.until(() => published.of('contact:6').length === 2);
  expect(dead).toEqual(['1 the value is not JSON', '2 not a word', '3 the headers are no CloudEvent']);
});

it('rejects the batch while the database is away, and loses nothing', async () => {
  const away = openPool('postgres://nobody:none@127.0.0.1:1/none', 'away');
  const { handle, dead } = start(
    'toy-away',
    toyCall(() => Promise.resolve(done(''))),
    { pool: away },
  );
  await expect(handle([wordRecord('contact:7', { word: 'x' })])).rejects.toThrow('the event store is unavailable');
  expect(dead).toEqual([]);
  await running.pop()?.stop();
  await away.end();
  errors.splice(0);
});

it('counts the same undated content again only after 24 hours', async () => {
  const { handle, published } = start(
    'toy-undated',
    toyCall(() => Promise.resolve(done(''))),
  );
  const say = (time: string) => handle([wordRecord('contact:8', { word: 'hi', undated: true }, { time })]);
  await say('2026-11-21T10:00:00.000Z');
  await say('2026-11-21T10:00:00.000Z');
  await say('2026-11-22T10:00:00.000Z');
  await say('2026-11-22T10:00:00.001Z');
  await published.until(() => published.of('contact:8').length === 4);
  expect(published.of('contact:8').filter((e) => e.type.includes('heard'))).toEqual([heard('hi', 1), heard('hi', 2)]);
});

describe('a callback that names only the vendor’s id', () => {
  const callback = (id: string) => wordRecord('video:x', { word: 'called', callbackOf: id });

  it('finds its stream when it comes after the answer', async () => {
    const { handle, published } = start(
      'toy-late',
      toyCall(() => Promise.resolve(done(''))),
    );
    await handle([wordRecord('contact:9', { word: 'first', correlate: 'v9' })]);
    await handle([callback('v9')]);
    await published.until(() => published.records.length >= 3);
    const { rows } = await db.pool.query(
      `select data from event where stream_id = 'toy-default:contact:9' order by version`,
    );
    expect(rows.map((r: { data: unknown }) => r.data)).toContainEqual({ word: 'called', n: 2 });
  });

  it('waits, visible, when it comes first, and is joined once', async () => {
    const { handle, published } = start(
      'toy-early',
      toyCall(() => Promise.resolve(done(''))),
    );
    const early = callback('v10');
    await handle([early, early]);
    const { rows } = await db.pool.query(
      `select external_id from correlation where service = 'toy-early' and stream_id is null`,
    );
    expect(rows).toEqual([{ external_id: 'v10' }]);
    await handle([wordRecord('contact:10', { word: 'first', correlate: 'v10' })]);
    await published.until(() => published.records.length >= 3);
    const heardWords = published.records.filter((r) => r.envelope.type.includes('heard'));
    expect(heardWords.map((r) => JSON.parse(r.value.toString()) as unknown)).toEqual([
      { word: 'first', n: 1 },
      { word: 'called', n: 2 },
    ]);
  });
});
