import { type AskRow, readAsk } from '#libs/recipes';
import { askAll, type Asked, boundOf, bytesTold } from './asking';
import { boundLines, evaluationLines } from './report';
import { evaluationOf } from './result';

const made = readAsk(
  `ask: grade@1
description: Grades.
properties: [company]
instruction: Grade.
answer:
  type: object
  additionalProperties: false
  required: [score, why]
  properties: { score: { type: integer }, why: { type: string } }
`,
  'grade@1.yaml',
);
if ('faults' in made) throw new Error(made.faults.join('\n'));
const side = { name: 'grade@1', ask: made.ask };
const other = { name: 'grade@1 by m', ask: { ...made.ask, model: 'm' } };
const row = (name: string, score: number): AskRow => ({
  ...{ name, label: { score, why: 'x' } },
  textFor: () => `company: ${name}`,
  missing: () => [],
});
const rows = [row('a', 1), row('b', 2), row('c', 3)];
const came = (score: number, ms: number): Asked => ({
  answer: { score, why: `because ${String(score)}` },
  ...{ tokens: { input: 100, output: 10 }, usd: 0.001, ms },
});

it('counts a row without an answer as one that agrees in nothing, and says what it cost and took', () => {
  const found = evaluationOf([side], rows, [
    [came(1, 10), came(9, 30), { error: 'refusal', tokens: { input: 1, output: 1 }, usd: 0.5, ms: 20 }],
  ]);
  expect(found.sides).toEqual([
    {
      ...{ name: 'grade@1', model: 'gpt-6-luna', agreement: 1 / 3, answered: 2, errors: { refusal: 1 } },
      fields: { score: { agreement: 1 / 3, judged: 3 }, why: 'not judged' },
      ...{ tokens: { input: 201, output: 21 }, usd: 0.502, latencyMs: { p50: 20, p95: 30 } },
    },
  ]);
  expect(found).not.toHaveProperty('drift');
});

it('shows two sides beside each other, and of rows that both answered how often they differ', () => {
  const found = evaluationOf([side, other], rows, [
    [came(1, 1), came(2, 1), { error: 'length' }],
    [came(1, 1), came(3, 1), came(3, 1)],
  ]);
  expect(found.drift).toEqual({ score: { differs: 1, of: 2 }, why: { differs: 1, of: 2 } });
  const lines = evaluationLines(found, 1);
  expect(lines).toContain('score      0.67 (3)            0.67 (3)            1 of 2');
  expect(lines.slice(-2)).toEqual(['b: score: 2 → 3', '… and 1 more']);
});

it('shows what is recorded first, with what it took, and how often the last side moves from it where both have a field', () => {
  const then: Asked[] = [
    { answer: { score: 1 }, tokens: { input: 50, output: 5 }, ms: 7 },
    { answer: { score: 5, old: 1 }, tokens: { input: 50, output: 5 }, ms: 9 },
    { answer: { score: 3 }, tokens: { input: 50, output: 5 } },
  ];
  const now = [came(1, 1), came(2, 1), { error: 'length' }];
  const found = evaluationOf([side, other], rows, [[came(1, 1), came(2, 1), came(3, 1)], now], then);
  expect(found.drift).toEqual({ score: { differs: 1, of: 2 } });
  expect(found.recorded).toEqual({
    ...{ answered: 3, tokens: { input: 150, output: 15 }, latencyMs: { p50: 7, p95: 9 } },
  });
  expect(found.rows[1]?.came).toMatchObject({
    recorded: { answer: { score: 5 } },
    'grade@1': { answer: { score: 2 } },
  });
  const lines = evaluationLines(found, 5);
  expect(lines[0]).toMatch(/^ +recorded +grade@1 +grade@1 by m +differ$/);
  expect(lines).toContainEqual(expect.stringMatching(/^score {20,}1\.00 \(3\) +0\.67 \(3\) +1 of 2$/));
  expect(lines).toContainEqual(expect.stringMatching(/^tokens +150 in, 15 out +300 in, 30 out +200 in, 20 out$/));
  expect(lines.at(-1)).toBe('b: score: 5 → 2');
});

it('says before what it will cost at most; of a model whose price is not known, how many tokens', () => {
  const [known, unknown] = [boundOf(side, bytesTold(side, rows), 100), boundOf(other, bytesTold(other, rows), 100)];
  expect(known).toMatchObject({ questions: 3, tokens: { output: 300 } });
  expect(known.usd).toBeGreaterThan(0);
  expect(unknown).not.toHaveProperty('usd');
  expect(boundLines([known, unknown], '2026-11-21')).toEqual([
    expect.stringMatching(
      /^3 questions to gpt-6-luna: at most \$0\.\d+ \(\d+ tokens in, 300 out; prices of 2026-11-21\)$/,
    ),
    expect.stringMatching(/^3 questions to m, whose price is not known here: at most \d+ tokens in, 300 out$/),
  ]);
});

it('asks no further where nothing pays for it, and tells each row that was not asked', async () => {
  let asked = 0;
  const model = {
    ask: () => {
      asked += 1;
      return Promise.resolve({ outcome: 'retry' as const, code: 'insufficient_quota', message: '', refused: true });
    },
  };
  const [all] = await askAll([side], rows, { model, deadlineMs: 1_000, atOnce: 1, asked: () => undefined });
  expect(all).toEqual([{ error: 'insufficient_quota' }, { error: 'not-asked' }, { error: 'not-asked' }]);
  expect(asked).toBe(1);
});
