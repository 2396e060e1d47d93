import type { Answer } from '#libs/contracts';
import { vendorWatch } from './vendor-watch';

const failed = (code: string): Answer => ({ outcome: 'retry', code, message: '', refused: true });
const done: Answer = { outcome: 'done', value: 'yes' };

function watched() {
  const [said, measured]: [unknown[], unknown[]] = [[], []];
  const line = (level: string) => (fields: object, message: string) => void said.push([level, fields, message]);
  const watch = vendorWatch(
    {
      stoppedBy: ({ outcome, ...rest }) =>
        outcome !== 'done' && 'code' in rest && (rest.code === 'unpaid' || rest.code === 'unknown-key')
          ? rest.code
          : undefined,
      stops: { unpaid: 'nothing pays', 'unknown-key': 'the key is not taken' },
      goesOn: 'it answers again',
      measure: (...values) => void measured.push(values),
    },
    { info: line('info'), error: line('error') },
  );
  return { watch, said, measured };
}

it('tells a standstill once, however often it is met, and its end once', () => {
  const { watch, said, measured } = watched();
  for (const answer of [done, failed('unpaid'), failed('unpaid'), done, done]) watch.answered(answer);
  expect(said).toEqual([
    ['error', { code: 'unpaid', reason: 'unpaid' }, 'nothing pays'],
    ['info', {}, 'it answers again'],
  ]);
  expect(measured).toEqual([
    [1, 'unpaid', ''],
    [0, 'unpaid', ''],
  ]);
});

it('takes no other failure for its end, or for one', () => {
  const { watch, said } = watched();
  const others: Answer[] = [failed('busy'), { outcome: 'unknown', code: 'deadline', message: '' }];
  for (const answer of [...others, failed('unpaid'), ...others, failed('unpaid')]) watch.answered(answer);
  expect(said).toHaveLength(1);
});

it('tells the next reason where one follows the other, and measures the one that holds', () => {
  const { watch, said, measured } = watched();
  for (const code of ['unpaid', 'unknown-key']) watch.answered(failed(code));
  expect(said.map((line) => (line as string[])[2])).toEqual(['nothing pays', 'the key is not taken']);
  expect(measured).toEqual([
    [1, 'unpaid', ''],
    [0, 'unpaid', ''],
    [1, 'unknown-key', ''],
  ]);
});

it('keeps tenants with accounts of their own apart', () => {
  const { watch, said } = watched();
  watch.answered(failed('unpaid'), 'a');
  watch.answered(done, 'b');
  watch.answered(failed('unpaid'), 'b');
  watch.answered(done, 'a');
  expect(said.map((line) => (line as [string, { tenant: string }])[1].tenant)).toEqual(['a', 'b', 'a']);
});
