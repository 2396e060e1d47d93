import { catalog, earlier } from '#libs/contracts';
import { z } from 'zod';
import { append, eventsOf } from '../../event-store/src/testing/appending';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { Process } from './process';
import { Published, TOY_TOPIC, toyCall, toyEvents, toyProcess, wordRecord } from './testing/toy';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());

it('folds events of an earlier version as the newest, and publishes them as they are stored', async () => {
  const service = 'toy-upcast';
  const wire = 'refrain.word.heard.v2';
  const former = toyEvents.shapes.WordHeard;
  const newer = catalog('toy', toyEvents.topic, {
    WordHeard: {
      wire,
      data: former.data,
      earlier: [earlier(former.wire, z.object({ said: z.string() }), ({ said }) => ({ word: said, n: 1 }))],
    },
    WordAnswered: toyEvents.shapes.WordAnswered,
  });
  const folded: unknown[] = [];
  const toy = toyProcess(service);
  const evolve: typeof toy.decider.evolve = (heard, event) => {
    folded.push(event);
    return toy.decider.evolve(heard, event);
  };
  const old = { type: former.wire, data: { said: 'old' } };
  await append(db.pool, eventsOf('toy-default:contact:1', 1, 1, old), { service });
  const published = new Published();
  const errors: unknown[] = [];
  const process = new Process(
    { ...toy, catalog: newer, decider: { ...toy.decider, evolve } },
    {
      pool: db.pool,
      produce: published.produce,
      deadLetter: () => Promise.resolve(),
      effects: toyCall(() => Promise.resolve({ outcome: 'done', value: 'yes' })),
      concurrency: 1,
      onError: (error) => errors.push(error),
      onParked: (_, error) => errors.push(error),
    },
  );
  process.start();
  await process.handlerFor(TOY_TOPIC)([wordRecord('contact:1', { word: 'new' })]);
  await published.until(() => published.of('contact:1').length === 3);
  await process.stop();
  expect(folded[0]).toEqual({ type: 'WordHeard', data: { word: 'old', n: 1 } });
  expect(published.of('contact:1')).toEqual([
    old,
    { type: wire, data: { word: 'new', n: 2 } },
    { type: 'refrain.word.answered.v1', data: { n: 2, answer: 'yes' } },
  ]);
  expect(errors).toEqual([]);
});
