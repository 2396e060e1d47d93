import { Storm, StormWatch } from './storm';

const bug = (text: string) => new TypeError(text);

it('bears 50 alike failures among 1,000 inputs, and stops at the next, for good', () => {
  const watch = new StormWatch(() => undefined);
  watch.passed(949);
  for (let i = 0; i < 50; i += 1) watch.failed(`input-${String(i)}`, bug(`no field 'x${String(i)}' of ${String(i)}`));
  expect(() => {
    watch.failed('one-more', bug("no field 'y' of 7"));
  }).toThrow(Storm);
  watch.passed(5_000);
  expect(watch.storm?.message).toMatch(/more than 5 % .* \(TypeError\).*start .* again.*release/);
});

it('counts over the last 1,000 inputs: older failures are forgotten', () => {
  const watch = new StormWatch(() => undefined);
  for (let round = 0; round < 20; round += 1) {
    for (let i = 0; i < 50; i += 1) watch.failed(`${String(round)}-${String(i)}`, bug('x'));
    watch.passed(950);
  }
  expect(watch.storm).toBeUndefined();
});

it('counts the same input once, however often it is tried', () => {
  const watch = new StormWatch(() => undefined);
  for (let i = 0; i < 500; i += 1) watch.failed('same', bug('x'));
  expect(watch.storm).toBeUndefined();
});

it('does not add up failures that differ in class, code or what they say', () => {
  const watch = new StormWatch(() => undefined);
  for (let i = 0; i < 40; i += 1) {
    watch.failed(`a${String(i)}`, bug('one thing'));
    watch.failed(`b${String(i)}`, bug('another thing'));
    watch.failed(`c${String(i)}`, new RangeError('one thing'));
    watch.failed(`d${String(i)}`, Object.assign(bug(`thing ${'abc'[i % 3] ?? ''}`), { code: 'E_ONE' }));
  }
  expect(watch.storm).toBeUndefined();
});
