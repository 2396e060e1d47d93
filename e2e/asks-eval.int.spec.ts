import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger } from '#libs/event-store';
import { OwnKeys, Sealer } from '#libs/platform';
import { type AskFile, readAsk, readRows, stepOfAsk } from '#libs/recipes';
import { OPENAI_ITSELF, OpenAiClient } from '#libs/vendors/openai';
import { createProgram } from '../apps/cli/src/program';
import { withRecord } from '../apps/enrichment-service/src/ask.effects';
import { effect, owe, sure } from '../libs/event-store/src/testing/owing';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { sealedCall } from '../libs/process/src/sealing';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Call, type Sandbox, startSandbox } from './testing/vendors';

// Asks on labelled rows and on recorded inputs, judged by what the model's stand-in was asked and what it says of it.

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

describe('on recorded inputs', () => {
  const ask = 'customer-sentiment';
  const [key, further] = [randomBytes(32), randomBytes(32)];
  const because = ['--why', 'is a cheaper model as good?', '--by', 'ada'];
  let db: TestDatabase;

  beforeEach(async () => {
    db = await testDatabase();
  });
  afterEach(() => db.drop());

  const askFile = (): AskFile => {
    const read = readAsk(readFileSync(`asks/${ask}@1.yaml`, 'utf8'), `${ask}@1.yaml`);
    if ('faults' in read) throw new Error(read.faults.join('\n'));
    return read.ask;
  };

  /** Asks as the hub asks, and keeps the record as the hub keeps it; in the order of the rows, each about a record of its own. */
  async function record(which: readonly number[], { by = key, version = 1 } = {}): Promise<void> {
    const file = askFile();
    const found = readRows(readFileSync(rowsOf(ask), 'utf8'), rowsOf(ask), file);
    if ('faults' in found) throw new Error(found.faults.join('\n'));
    const { model, instruction, answer: schema } = stepOfAsk(file, {});
    const client = new OpenAiClient({ ...OPENAI_ITSELF, baseUrl: `${openai.url}/v1`, apiKey: secrets.openaiApiKey });
    const ledger = new Ledger(db.pool, 'enrichment-service', [
      { kind: 'openai.ask', deadlineMs: 5_000, maxRepeats: 0 },
    ]);
    const sealer = new Sealer(new OwnKeys([by]));
    for (const at of which) {
      const text = sure(found.rows[at]).textFor(file);
      const question = { name: ask, ask: `${ask}@${String(version)}`, model, instruction, text, schema };
      const answer = await client.ask(question, 'default', AbortSignal.timeout(5_000));
      if (answer.outcome !== 'done') throw new Error(answer.code);
      await owe(db.pool, [effect({ kind: 'openai.ask', subject: `contact:${String(at)}` })], {
        service: 'enrichment-service',
      });
      const claimed = sure((await ledger.claim('me', 1))[0]);
      const sealing = { seal: (said: string, place: string) => sealer.seal(said, place), days: 30 };
      const kept = await sealedCall(sealing, claimed, withRecord(question, answer), 250);
      await ledger.settle(claimed, { state: 'done', answer: answer.value }, sure(kept));
    }
  }

  const settings = (keys = [key]): object => ({
    DATABASE_URL: db.url,
    SEALING_KEY: keys.map((one) => one.toString('base64')).join('\n'),
  });
  const recorded = (args: string[], over: object = {}) =>
    asks(['eval', ask, '--recorded', ...args], { ...settings(), ...over });
  const told = async () => {
    const { rows } = await db.pool.query<{ data: unknown; subject: string }>(
      `select data, subject from event where type = 'refrain.call.unsealed.v1' order by subject`,
    );
    return rows;
  };
  interface Found extends Evaluated {
    recorded: Record<string, unknown> & { used: number; tokens: object; usd: number };
  }

  it('asks what was asked again, told on the log first, and shows what was answered and taken then beside it', async () => {
    await record([0, 1, 2]);
    const before = (await questions()).length;
    const { out, err, exitCode } = await recorded(['--json', '--least-agreement', '1', ...because]);
    const found = JSON.parse(out) as Found;
    expect((await questions()).length - before).toBe(3);
    expect([found.passed, exitCode, found.sides.map(({ name }) => name)]).toEqual([true, undefined, [`${ask}@1`]]);
    const [side] = found.sides;
    expect([side?.agreement, side?.answered]).toEqual([1, 3]);
    expect(found.recorded).toMatchObject({
      ...{ found: 3, used: 3, leftOut: {}, askedAs: { [`${ask}@1`]: 3 }, models: { 'gpt-6-luna': 3 } },
      ...{ tokens: side?.tokens, usd: side?.usd, latencyMs: { p50: 250, p95: 250 }, answered: 3 },
    });
    expect(Object.values(found.drift ?? {})).toEqual(Array(4).fill({ differs: 0, of: 3 }));
    const ids = found.rows.map(({ row }) => row);
    const call = (id: string | undefined) => ({ call: id, kind: 'openai.ask', by: 'ada', why: because[1] });
    expect(await told()).toEqual([
      { subject: 'contact:0', data: call(ids[2]) },
      { subject: 'contact:1', data: call(ids[1]) },
      { subject: 'contact:2', data: call(ids[0]) },
    ]);
    const shown = await recorded(because);
    expect(shown.out + shown.err + err).not.toMatch(/unacceptable|Change of address|We love/);
  });

  it('counts the fields that another model answers otherwise than was answered then, and asks nobody else', async () => {
    await record([0, 1, 2]);
    const answer = { sentiment: 0.5, churn_risk: 0.05, evidence: [], reason: 'They ask.' };
    await openai.control('POST', '/answers', { match: { bodyIncludes: 'gpt-6-sol' }, answer });
    const before = (await questions()).length;
    const { out } = await recorded(['2', '--model', 'gpt-6-sol', '--json', ...because]);
    const found = JSON.parse(out) as Found;
    expect((await questions()).length - before).toBe(2);
    expect(found.sides.map(({ model }) => model)).toEqual(['gpt-6-sol']);
    expect(found.rows).toHaveLength(2);
    expect(found.drift?.['reason']?.differs).toBeGreaterThan(0);
    expect(found.sides[0]?.agreement).toBeLessThan(1);
    expect(found.sides[0]?.usd).toBeGreaterThan(found.recorded.usd);
    const { out: text } = await recorded(['2', '--model', 'gpt-6-sol', '--against', ask, ...because]);
    expect(text).toMatch(/^ +recorded +customer-sentiment@1 +customer-sentiment@1 by gpt-6-sol +differ$/m);
  });

  it('leaves out what cannot be compared, with a number, and unseals no more than it can use', async () => {
    await openai.control('POST', '/answers', { answer: 'refusal' });
    await record([0]);
    await record([1], { by: further });
    await record([2, 2], { version: 2 });
    const { out } = await recorded(['--json', ...because]);
    const found = JSON.parse(out) as Found;
    expect(found.recorded).toMatchObject({
      ...{ found: 4, used: 1, leftOut: { refusal: 1, 'no-key': 1, 'same-input': 1 } },
      askedAs: { [`${ask}@2`]: 1 },
    });
    expect((await told()).map(({ subject }) => subject)).toEqual(['contact:2', 'contact:2']);
    const { out: all } = await asks(['eval', ask, '--recorded', '--json', ...because], settings([key, further]));
    expect((JSON.parse(all) as Found).recorded.used).toBe(2);
  });

  it('with --dry-run says how many there are and what they cost at most, with no key, and opens and asks nothing', async () => {
    await record([0, 1, 2]);
    const before = (await questions()).length;
    const { out } = await recorded(['--dry-run', '--json'], { SEALING_KEY: '', OPENAI_API_KEY: '' });
    const dry = JSON.parse(out) as { recorded: object; sides: { most: { questions: number; usd: number } }[] };
    expect(dry.recorded).toEqual({ ask, found: 3, leftOut: {} });
    expect([(await questions()).length, await told()]).toEqual([before, []]);
    const most = dry.sides[0]?.most;
    expect(most?.questions).toBe(3);
    const { err } = await recorded(because);
    const bound = /^3 questions to gpt-6-luna: at most \$([\d.]+)/m.exec(err)?.[1];
    expect(Number(bound)).toBeGreaterThan(0);
    expect(most?.usd).toBeGreaterThanOrEqual(Number(bound));
  });

  it('opens and asks nothing where it cannot be told on the log', async () => {
    await record([0]);
    await db.pool.query(`alter table event add constraint mute check (type <> 'refrain.call.unsealed.v1')`);
    const before = (await questions()).length;
    await expect(recorded(because)).rejects.toThrow('mute');
    expect((await questions()).length).toBe(before);
  });

  it('tells and asks nothing without the right keys, of what is not recorded, or where it is used wrongly', async () => {
    await expect(recorded(because)).rejects.toThrow(
      /no input of customer-sentiment is recorded \(no-records\).*REASONING_DAYS/,
    );
    await record([0]);
    const before = (await questions()).length;
    const other = { SEALING_KEY: further.toString('base64') };
    const refused: [string[], object, RegExp][] = [
      [because, other, /none of 1 recorded inputs .*SEALING_KEY \(wrong-key\): set it as enrichment-service has it/],
      [because, { SEALING_KEY: '' }, /SEALING_KEY: is missing/],
      [because, { OPENAI_API_KEY: '' }, /OPENAI_API_KEY: is missing/],
      [['--tenant', 'acme', ...because], {}, /is recorded of acme \(no-records\)/],
      [['--since', '1 day', ...because], {}, /--since 1 day is no duration/],
      [[], {}, /--recorded needs --why/],
      [['--why', ' '], {}, /--recorded needs --why/],
      [['0', ...because], {}, /0 is no whole number/],
      [['--limit', '3', ...because], {}, /--recorded says itself how many/],
      [['--dataset', rowsOf(ask), ...because], {}, /either labelled rows by --dataset <file>, or past inputs/],
    ];
    for (const [args, over, said] of refused) await expect(recorded(args, over)).rejects.toThrow(said);
    await expect(asks(['eval', ask])).rejects.toThrow(/either labelled rows/);
    await expect(asks(['eval', ask, '--dataset', rowsOf(ask), '--since', '1d'])).rejects.toThrow('--since goes with');
    expect([(await questions()).length, await told()]).toEqual([before, []]);
  });
});
