import { readAsk } from '#libs/recipes';
import { type OpenedCall, recordedInputs, recordedLines } from './recorded';

const made = readAsk(
  `ask: grade@2
description: Grades.
properties: [company]
instruction: Grade.
answer:
  type: object
  additionalProperties: false
  required: [score, budget, mood, quotes, why]
  properties:
    score: { type: integer, minimum: 0, maximum: 100 }
    budget: { type: [integer, 'null'] }
    mood: { type: string, enum: [good, bad] }
    quotes: { type: array, items: { type: string } }
    why: { type: string }
supported: [budget, quotes]
`,
  'grade@2.yaml',
);
if ('faults' in made) throw new Error(made.faults.join('\n'));
const { ask } = made;

const first = {
  type: 'object',
  additionalProperties: false,
  required: ['score', 'budget', 'quotes', 'tone'],
  properties: {
    score: { type: 'integer' },
    budget: { type: ['integer', 'null'] },
    quotes: { type: 'array', items: { type: 'string' } },
    tone: { type: 'string' },
  },
};
const answer = { score: 80, budget: 40_000, quotes: ['has 40k'], tone: 'warm' };
const said = { ask: 'grade', version: 1, answered: 'm-2026', finish: 'stop', inputTokens: 90, outputTokens: 9 };
function call(id: string, over: { text?: string; answer?: unknown; facts?: object } = {}): OpenedCall {
  const { text = `It has 40k ${id}`, answer: content = answer, facts = {} } = over;
  return {
    ...{ id, at: new Date(`2026-11-0${id}T00:00:00Z`), facts: { ...said, ...facts } },
    question: {
      instruction: 'x',
      text,
      schema: first,
      answer: typeof content === 'string' ? content : JSON.stringify(content),
    },
  };
}
const inputs = (...calls: OpenedCall[]) => recordedInputs('grade', ask, calls);

it('takes what was answered then for the label of the fields that there are now, too, scores with a tolerance', () => {
  const { rows, came, said: is } = inputs(call('2', { facts: { usd: 0.1, tookMs: 70 } }), call('1'));
  expect(rows.map(({ name, label }) => [name, label])).toEqual(
    ['2', '1'].map((id) => [id, { score: { is: 80, within: 10 }, budget: 40_000, quotes: ['has 40k'] }]),
  );
  expect(rows[0]?.textFor(ask)).toBe('It has 40k 2');
  expect(came).toEqual([
    { answer, tokens: { input: 90, output: 9 }, usd: 0.1, ms: 70 },
    { answer, tokens: { input: 90, output: 9 } },
  ]);
  expect(is).toEqual({
    ...{ ask: 'grade', found: 2, used: 2, leftOut: {}, askedAs: { 'grade@1': 2 }, models: { 'm-2026': 2 } },
    ...{ from: '2026-11-01T00:00:00.000Z', to: '2026-11-02T00:00:00.000Z' },
    ...{ onlyThen: ['tone'], onlyNow: ['mood', 'why'] },
  });
  expect(recordedLines(is)).toEqual([
    '2 recorded inputs of grade',
    expect.stringMatching(/^2 are used, of 2026-11-01\S+ to 2026-11-02\S+: asked as 2 grade@1, answered by 2 m-2026$/),
    'answered then alone, not compared: tone',
    'not answered then, not compared: mood, why',
  ]);
});

it('takes an answer of then as it takes the new ones: what nothing bears out is left out of both', () => {
  const { rows, came } = inputs(call('1', { answer: { ...answer, budget: 70_000, quotes: ['has 40k', 'made up'] } }));
  expect(rows[0]?.label).toMatchObject({ budget: null, quotes: ['has 40k'] });
  expect(came[0]).toMatchObject({ answer: { budget: null, quotes: ['has 40k'] } });
  const strict = { ...ask, unsupported: 'fail' as const };
  expect(() => recordedInputs('grade', strict, [call('1', { answer: { ...answer, budget: 7 } })])).toThrow(
    '1 unsupported',
  );
});

it('leaves out, and counts, what had no answer that could be taken, what is not opened, and what is asked already', () => {
  const same = call('9', { text: 'It has 40k, the same' });
  const { rows, said: is } = inputs(
    same,
    call('8', { text: 'It has 40k, the same', answer: { ...answer, score: 1 } }),
    { ...call('7', { facts: { finish: 'refusal' } }), question: 'not-opened' },
    { ...call('6', { facts: { finish: 'length' } }), question: 'not-opened' },
    { ...call('5'), question: 'no-key' },
    { ...call('4'), question: 'unreadable' },
    call('3', { answer: '{"score"' }),
    call('2', { answer: { ...answer, score: 'high' } }),
    call('1', { facts: { inputTokens: undefined } }),
  );
  expect(rows.map(({ name }) => name)).toEqual(['9']);
  expect(rows[0]?.label['score']).toEqual({ is: 80, within: 10 });
  expect([is.found, is.used, is.leftOut]).toEqual([
    ...[9, 1],
    { 'same-input': 1, refusal: 1, length: 1, 'no-key': 1, unreadable: 2, schema: 2 },
  ]);
});

it('says why where none is left, and nothing of what was read', () => {
  const none = () => inputs(call('2', { answer: 'secret words' }), call('1', { answer: 'secret words' }));
  expect(none).toThrow('none of 2 recorded inputs of grade can be used (2 schema)');
  expect(none).not.toThrow('secret');
});
