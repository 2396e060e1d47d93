import { messages } from './messages';
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
