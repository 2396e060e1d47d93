import { z } from 'zod';
import { catalog, earlier } from './events';
import { eventsOf, messages } from './messages';
import { topics } from './topics';

it.each(topics)('$name carries messages, each of another type', ({ name }) => {
  const types = messages.filter((message) => message.topic === name).map((message) => message.wire);
  expect(types.length).toBeGreaterThan(0);
  expect(new Set(types).size).toBe(types.length);
});

it.each(messages)('$name on $topic says what it means, on a topic that exists', ({ says, topic, wire }) => {
  expect(says).toMatch(/^[A-Z].*\.$/);
  expect(topics.map((spec) => spec.name)).toContain(topic);
  expect(wire).toMatch(/^refrain(\.[a-z]+(-[a-z]+)*){2}\.v\d+$/);
});

it('tells of the earlier versions of an event too: they may still stand on the topic', () => {
  const data = z.object({}).describe('It happened.');
  const lifted = earlier('refrain.thing.happened.v1', data, () => ({}));
  const of = catalog('thing', 'thing.events.v1', {
    ThingHappened: { wire: 'refrain.thing.happened.v2', data, earlier: [lifted] },
  });
  expect(eventsOf(of).map(({ name, wire, says }) => [name, wire, says])).toEqual([
    ['ThingHappened', 'refrain.thing.happened.v2', 'It happened.'],
    [
      'ThingHappenedV1',
      'refrain.thing.happened.v1',
      'It happened. An earlier version: written no more, but it may still stand on the topic.',
    ],
  ]);
});
