import { finding } from './finding';
import { runChecks } from './run';

const one = finding('recipes-none', 'b', 'x', 'y');
const worse = finding('token-missing', 'a', 'x', 'y');

it('tells what all checks found, the worst first, whichever was done first', async () => {
  const checks = [
    { name: 'slow', run: () => new Promise<never[]>((resolve) => setImmediate(() => resolve([]))) },
    { name: 'b', run: () => Promise.resolve([one]) },
    { name: 'a', run: () => Promise.resolve([worse]) },
  ];
  expect(await runChecks(checks, 10_000)).toEqual([worse, one]);
});

it('makes a finding of a check that fails, in one line, and goes on with the others', async () => {
  const failing = { name: 'failing', run: () => Promise.reject(new Error('first line\nstack')) };
  const found = await runChecks([failing, { name: 'b', run: () => Promise.resolve([one]) }], 10_000);
  expect(found.map(({ code, where, what }) => [code, where, what])).toEqual([
    ['check-failed', 'failing', 'It could not be looked at: first line'],
    ['recipes-none', 'b', 'x'],
  ]);
});

it('waits for no check longer than it may take, and ends its calls', async () => {
  let given: AbortSignal | undefined;
  const hanging = {
    name: 'hanging',
    run: (signal: AbortSignal) => {
      given = signal;
      return new Promise<never>(() => undefined);
    },
  };
  const found = await runChecks([hanging], 20);
  expect(found.map(({ code, where }) => [code, where])).toEqual([['check-failed', 'hanging']]);
  expect(given?.aborted).toBe(true);
});
