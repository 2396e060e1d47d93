import type { Answer } from '#libs/contracts';
import { answersOf, type BatchBody } from './parts';

const record = (id: string, more: object = {}) => ({ id, properties: {}, ...more });
const answered = (results: object[], errors?: object[]): Answer<BatchBody> =>
  ({ outcome: 'done', value: { results, ...(errors ? { errors } : {}) } }) as Answer<BatchBody>;
const notFound = (...ids: string[]) => ({
  category: 'OBJECT_NOT_FOUND',
  message: 'Could not get some objects',
  context: { ids },
});
const invalid = (trace: string) => ({
  category: 'VALIDATION_ERROR',
  message: 'Property values were not valid: [{"isValid":false,"error":"INVALID_OPTION","name":"x"}]',
  context: { objectWriteTraceId: [trace] },
});
const gone = { outcome: 'stop', code: 'OBJECT_NOT_FOUND', message: 'Could not get some objects' };
const notSaid = { outcome: 'unknown', code: 'no-result', message: 'the answer says nothing of it' };
const done = (value: object) => ({ outcome: 'done', value });

it.each([
  ['done whole, in any order', [{ id: '1' }, { id: '2' }], [record('2'), record('1')], undefined, ['1', '2']],
  [
    'by a unique property, whatever its case',
    [
      { id: 'A@x.test', idProperty: 'email' },
      { id: 'k', idProperty: 'key' },
    ],
    [record('7', { properties: { key: 'k' } }), record('8', { properties: { email: 'a@x.test' } })],
    undefined,
    ['8', '7'],
  ],
  [
    'by trace ids, where they come back',
    [{ objectWriteTraceId: 'a' }, { objectWriteTraceId: 'b' }],
    [record('8', { objectWriteTraceId: 'b' }), record('9', { objectWriteTraceId: 'a' })],
    undefined,
    ['9', '8'],
  ],
  [
    'a merged record, which answers by another id',
    [{ id: '1' }, { id: '2' }],
    [record('5'), record('1')],
    [],
    ['1', '5'],
  ],
] as const)('takes a batch apart: %s', (_, parts, results, errors, ids) => {
  const answers = answersOf(parts, answered([...results], errors ? [...errors] : undefined));
  expect(answers.map((one) => one.outcome === 'done' && one.value.id)).toEqual(ids);
});

it.each([
  [
    'ids that are not there',
    [{ id: '1' }, { id: '2' }, { id: '3' }],
    [record('2')],
    [notFound('1', '3')],
    [gone, done(record('2')), gone],
  ],
  [
    'a bad value, by its code',
    [
      { id: '1', objectWriteTraceId: 'a' },
      { id: '2', objectWriteTraceId: 'b' },
    ],
    [record('2')],
    [invalid('a')],
    [{ outcome: 'stop', code: 'INVALID_OPTION', message: invalid('a').message }, done(record('2'))],
  ],
  [
    'an error of which nobody knows whether it is for good',
    [{ id: '1' }],
    [],
    [{ category: 'INTERNAL_ERROR', message: 'x', context: { id: ['1'] } }],
    [{ outcome: 'unknown', code: 'INTERNAL_ERROR', message: 'x' }],
  ],
  [
    'an error that names nobody',
    [{ id: '1' }, { id: '2' }],
    [record('1')],
    [{ category: 'CONFLICT', message: 'x' }],
    [done(record('1')), { outcome: 'stop', code: 'CONFLICT', message: 'x' }],
  ],
  ['nothing at all', [{ id: '1' }, { id: '2' }], [], [], [notSaid, notSaid]],
  ['several that answer by other ids', [{ id: '1' }, { id: '2' }], [record('5'), record('6')], [], [notSaid, notSaid]],
  [
    'one result too few',
    [{ id: '1' }, { id: '2' }, { id: '3' }],
    [record('9'), record('1')],
    [],
    [done(record('1')), notSaid, notSaid],
  ],
])('takes a batch apart with %s', (_, parts, results, errors, expected) => {
  expect(answersOf(parts, answered(results, errors))).toEqual(expected);
});

it('refuses each input of a batch that was refused for what one of them says, to be called by itself', () => {
  const refusal: Answer<never> = { outcome: 'stop', code: 'PROPERTY_DOESNT_EXIST', message: 'x' };
  const alone = { outcome: 'retry', code: 'batch-refused', message: 'x', refused: true, afterMs: 0 };
  expect(answersOf([{ id: '1' }, { id: '2' }], refusal)).toEqual([alone, alone]);
  expect(answersOf([{ id: '1' }], refusal)).toEqual([refusal]);
});

it.each<Answer<never>>([
  { outcome: 'retry', code: 'TEN_SECONDLY_ROLLING', message: 'x', refused: true, afterMs: 10_000 },
  { outcome: 'unknown', code: 'http-502', message: 'x' },
])('gives what became of the whole call ($code) to each input', (answer) => {
  expect(answersOf([{ id: '1' }, { id: '2' }], answer)).toEqual([answer, answer]);
});
