import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram } from '../apps/cli/src/program';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Call, type Sandbox, startSandbox } from './testing/vendors';

// Asks on labelled rows, judged by what the model's stand-in was asked and what it says of it.

const watchdog = new Watchdog();
const secrets = newSecrets();
const folder = mkdtempSync(join(tmpdir(), 'asks-eval-'));
let openai: Sandbox;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  openai = await startSandbox('openai', secrets, accountOf({}), nowhere, { LATENCY_MS: '1' }, watchdog);
});
afterAll(async () => {
  await openai.child.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
});
afterEach(async () => {
  await openai.control('DELETE', '/faults');
  await openai.control('DELETE', '/answers');
});

interface Side {
  name: string;
  model: string;
  agreement: number;
  fields: Record<string, unknown>;
  answered: number;
  errors: Record<string, number>;
  tokens: { input: number; output: number };
  usd?: number;
}
interface Evaluated {
  passed: boolean;
  sides: Side[];
  drift?: Record<string, { differs: number; of: number }>;
  rows: { row: string; came: Record<string, unknown> }[];
}

async function asks(args: string[], settings: object = {}) {
  const written = { out: '', err: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream === 'stdout' ? 'out' : 'err'] += String(text);
      return true;
    }),
  );
  const env = { OPENAI_BASE_URL: `${openai.url}/v1`, OPENAI_API_KEY: secrets.openaiApiKey, ...settings };
  const environment = jest.replaceProperty(process, 'env', env);
  try {
    await createProgram().parseAsync(['node', 'refrain', 'asks', ...args]);
    return { ...written, exitCode: process.exitCode };
  } finally {
    process.exitCode = undefined;
    environment.restore();
    for (const spy of spies) spy.mockRestore();
  }
}

const rowsOf = (ask: string): string => `asks/${ask}.rows.yaml`;
async function evaluate(ask: string, ...args: string[]): Promise<Evaluated & { exitCode: unknown; err: string }> {
  const { out, err, exitCode } = await asks(['eval', ask, '--dataset', rowsOf(ask), '--json', ...args]);
  return { ...(JSON.parse(out) as Evaluated), err, exitCode };
}
const questions = async (): Promise<Call[]> =>
  (await openai.calls()).filter(({ path }) => path === '/v1/chat/completions');

it.each(['lead-qualification', 'customer-sentiment', 'call-summary', 'lead-summary'])(
  '%s is answered on all its rows, each asked once, and twice the same',
  async (ask) => {
    const before = (await questions()).length;
    const first = await evaluate(ask, '--least-agreement', '0.4');
    const [side] = first.sides;
    expect([first.exitCode, side?.errors, side?.answered]).toEqual([undefined, {}, first.rows.length]);
    expect((await questions()).length - before).toBe(first.rows.length);
    const again = await evaluate(ask, '--at-once', '1');
    expect(again.rows).toEqual(first.rows);
    expect(again.sides[0]).toMatchObject({ agreement: side?.agreement, tokens: side?.tokens, usd: side?.usd });
  },
);

it('says what it costs at most, and with --dry-run asks nobody; what it then costs is no more', async () => {
  const before = (await questions()).length;
  const { out } = await asks(['eval', 'lead-summary', '--dataset', rowsOf('lead-summary'), '--dry-run', '--json'], {
    OPENAI_API_KEY: '',
  });
  const { sides } = JSON.parse(out) as {
    sides: { most: { usd: number; tokens: { input: number; output: number } } }[];
  };
  expect((await questions()).length).toBe(before);
  const most = sides[0]?.most;
  const { sides: came, err } = await evaluate('lead-summary');
  expect(err).toContain(`at most $${String(most?.usd)}`.slice(0, 14));
  expect(came[0]?.tokens.input).toBeLessThanOrEqual(most?.tokens.input ?? 0);
  expect(came[0]?.tokens.output).toBeLessThanOrEqual(most?.tokens.output ?? 0);
  expect(came[0]?.usd).toBeLessThanOrEqual(most?.usd ?? 0);
});

it('compares another model with the ask as it is, side by side, and counts what is answered otherwise', async () => {
  await openai.control('POST', '/answers', {
    match: { bodyIncludes: 'gpt-6-sol' },
    answer: { summary: 'No.', next_steps: [] },
  });
  const found = await evaluate('call-summary', '--model', 'gpt-6-sol', '--limit', '3');
  expect(found.sides.map(({ name, model }) => [name, model])).toEqual([
    ['call-summary@1', 'gpt-6-luna'],
    ['call-summary@1 by gpt-6-sol', 'gpt-6-sol'],
  ]);
  expect(found.drift?.['summary']).toEqual({ differs: 1, of: 3 });
  expect(found.sides[1]?.usd).toBeGreaterThan(found.sides[0]?.usd ?? 0);
  expect(found.err).toMatch(/asking 0\/6/);
});

it('tries a file before it is published, and exits with 1 where it agrees less than is wanted', async () => {
  const file = join(folder, 'call-summary@2.yaml');
  const text = readFileSync('asks/call-summary@1.yaml', 'utf8').replace('ask: call-summary@1', 'ask: call-summary@2');
  writeFileSync(file, text.replace('You sum up calls', 'You sum calls up'));
  const answer = { summary: 'No.', next_steps: [] };
  await openai.control('POST', '/answers', { match: { bodyIncludes: 'You sum calls up' }, answer });
  const found = await evaluate('call-summary', '--ask', file, '--limit', '2', '--least-agreement', '1');
  expect(found.sides.map(({ name }) => name)).toEqual(['call-summary@1', file]);
  expect([found.exitCode, found.passed]).toEqual([1, false]);
  const asked = (await questions()).slice(-4).map(({ requestBody }) => JSON.stringify(requestBody));
  expect(asked.filter((body) => body.includes('You sum calls up'))).toHaveLength(2);
});

it('counts what has no answer, by its reason, and goes on', async () => {
  for (const answer of ['refusal', 'length', 'schema-violation']) await openai.control('POST', '/answers', { answer });
  await openai.control('POST', '/faults', { fault: { kind: 'status', code: 'slow_down' } });
  await openai.control('POST', '/faults', { fault: { kind: 'status', code: 'server_error' } });
  const { sides, exitCode, err } = await evaluate('customer-sentiment', '--at-once', '1');
  expect(sides[0]?.errors).toEqual({ refusal: 1, length: 1, schema: 1, server_error: 1 });
  expect(sides[0]?.answered).toBe(5);
  expect([exitCode, err]).toEqual([undefined, expect.stringContaining('4 questions have no answer')]);
});

it('stops asking where the key is not taken, and says so', async () => {
  const before = (await questions()).length;
  const { out, exitCode } = await asks(
    ['eval', 'lead-summary', '--dataset', rowsOf('lead-summary'), '--at-once', '1', '--json'],
    { OPENAI_API_KEY: 'wrong' },
  );
  const { sides } = JSON.parse(out) as Evaluated;
  expect(sides[0]?.errors).toEqual({ invalid_api_key: 1, 'not-asked': 8 });
  expect(exitCode).toBe(1);
  expect((await questions()).length - before).toBeLessThanOrEqual(1);
  expect(out).not.toContain('wrong');
});

it.each([
  [['eval', 'lead-sumary', '--dataset', 'x'], /there is no ask lead-sumary in .*asks; there are: call-summary@1/],
  [['eval', 'lead-summary@9', '--dataset', 'x'], /there is no ask lead-summary@9 in .*; there are: lead-summary@1/],
  [['eval', 'lead-summary', '--dataset', 'none.yaml'], /there is no file none\.yaml/],
  [
    ['eval', 'lead-summary', '--dataset', rowsOf('lead-summary'), '--against', 'lead-summary@1'],
    /compared with itself/,
  ],
  [
    ['eval', 'lead-summary', '--dataset', rowsOf('call-summary')],
    /rows\.yaml:\d+:\d+: 0\.label\.next_steps: the answer has no field/,
  ],
  [['eval', 'lead-summary', '--dataset', rowsOf('lead-summary'), '--limit', '0'], /0 is no whole number/],
  [['eval', 'lead-summary', '--dataset', rowsOf('lead-summary'), '--least-agreement', '80'], /80 is no share/],
  [['show', 'lead-summary', '--asks', 'nowhere'], /there is no folder nowhere/],
])('%j is refused with what to do instead', async (args, said) => {
  await expect(asks(args)).rejects.toThrow(said);
});

it('lists the asks with their recipes, and shows one with all that the model is told', async () => {
  const listed = JSON.parse((await asks(['--json'])).out) as { asks: { ask: string; recipes: string[] }[] };
  expect(listed.asks.map(({ ask, recipes }) => [ask, recipes])).toEqual([
    ['call-summary@1', ['call-summary']],
    ['customer-sentiment@1', ['deal-at-risk', 'ticket-sentiment']],
    ['lead-qualification@1', ['lead-qualification']],
    ['lead-summary@1', ['lead-qualified']],
  ]);
  expect((await asks([])).out).toMatch(
    /^customer-sentiment\n {2}@1 {2}gpt-6-luna {2}used by deal-at-risk, ticket-sentiment$/m,
  );
  const { out } = await asks(['show', 'customer-sentiment']);
  expect(out).toMatch(/^customer-sentiment@1: How a customer feels/);
  expect(out).toMatch(/threshold {3}unhappy: 0\.35[\s\S]*<<<EXAMPLE\n[\s\S]*EXAMPLE>>>$/m);
});
