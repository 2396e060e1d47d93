import { type Command, Option } from 'commander';
import { services } from '#libs/contracts';
import {
  type DeadLetterSelection,
  type Mail,
  moveReplay,
  parkedKeys,
  parkedMail,
  type ParkedKey,
  type ParkedSelection,
  type Pool,
  replayPlans,
  requestRelease,
  requestReplay,
} from '#libs/event-store';
import { discardParked } from '#libs/process';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { type Summary, summaryOf } from '../replay-summary';
import { follow } from '../replays';
import { withStore } from '../store';
import { effectLine, effectsOf, resolve, retry, type RetryOptions, showEffect } from './dlq-effects';
import { letterLine, unreadableLetters } from './dlq-records';

interface Selection {
  service?: string;
  key?: string;
  class?: string;
  olderThan?: string;
  json: boolean;
}

const onService = () => new Option('--service <name>', 'only of this service').choices(services);
const SHOWN = 20;

interface OneEffect {
  effect: string;
  json: boolean;
}

/** `refrain dlq`: what could not be handled or done, why, and what becomes of it. */
export function addDlq(program: Command): void {
  const dlq = program
    .command('dlq')
    .description('inputs whose handling failed, with what waits behind them, and effects that were given up');
  selecting(dlq.command('ls').description('list parked keys, then dead and held effects, the oldest first'))
    .option('--records', 'also read the dead letter topics for records that could not be read', false)
    .action(ls);
  dlq
    .command('show')
    .description('show an effect, or what waits behind a parked key: why it failed, its trace, what a retry would do')
    .option('--effect <number>', 'the effect, as `dlq ls` numbers it')
    .option('--key <input key>', 'the parked key, as `dlq ls` names it')
    .addOption(onService())
    .option('--plan', 'let the service say what it would do about the failed record today; nothing is done', false)
    .option('--json', 'print as JSON', false)
    .action(show);
  selecting(dlq.command('release').description('decide again what waits, in order, with the code that runs now'))
    .option('--all', 'release every parked key; without it a selection is needed', false)
    .addOption(byOption())
    .action(release);
  selecting(dlq.command('retry').description('owe dead effects again, each as its next generation'))
    .option('--effect <number>', 'only this one; may be repeated', collect, [])
    .option('--all', 'retry every dead effect; without it a selection is needed', false)
    .option('--did-not-happen', 'held ones too: you looked, and the vendor has not done them', false)
    .option('--dry-run', 'only show what would be owed', false)
    .action((options: Selection & Omit<RetryOptions, 'selection'>) =>
      retry({ ...options, selection: selectionOfEffects(options) }),
    );
  dlq
    .command('resolve')
    .description('say that a held effect did happen: its stream goes on with the answer')
    .requiredOption('--effect <number>', 'the effect, as `dlq ls` numbers it')
    .requiredOption('--answer <json>', 'what the vendor answered, as `explain` shows answers of this kind')
    .option('--json', 'print as JSON', false)
    .action(({ effect, answer, json }: OneEffect & { answer: string }) =>
      resolve(effect, { state: 'done', answer: jsonOf(answer) }, json),
    );
  dlq
    .command('discard')
    .description('drop the failed input of a parked key (or all that waits there), or give a held effect up')
    .option('--effect <number>', 'the held effect, as `dlq ls` numbers it')
    .option('--key <input key>', 'the parked key, as `dlq ls` names it')
    .addOption(onService())
    .option('--everything', 'drop all that waits, not only the input that failed', false)
    .addOption(byOption())
    .option('--json', 'print as JSON', false)
    .action(discard);
}

const selecting = (command: Command): Command =>
  command
    .addOption(onService())
    .option('--key <input key>', 'only this key')
    .option('--class <name>', 'only where the first failure was of this class')
    .option('--older-than <duration>', 'only what is parked at least this long, such as 30m, 24h or 7d')
    .option('--json', 'print as JSON', false);

const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function selectionOf({ service, key, class: code, olderThan }: Selection): ParkedSelection {
  const [, amount, unit = ''] = /^(\d+)([smhd])$/.exec(olderThan ?? '') ?? [];
  if (olderThan !== undefined && amount === undefined)
    throw new UsageError('--older-than must look like 30m, 24h or 7d');
  return {
    service,
    inputKey: key,
    code,
    olderThanMs: amount === undefined ? undefined : Number(amount) * (units[unit] ?? 0),
  };
}

const ageOf = (since: Date): string => {
  const minutes = Math.floor((Date.now() - since.getTime()) / 60_000);
  return minutes < 60 ? `${String(minutes)} min` : `${String(Math.floor(minutes / 60))} h`;
};

const lineOf = (key: ParkedKey): string =>
  [
    key.service.padEnd(20),
    key.inputKey.padEnd(36),
    `${String(key.waiting)} waiting`.padEnd(12),
    ageOf(key.since).padEnd(8),
    `${key.code}: ${key.reason}`,
    key.releasedBy === undefined ? '' : `(being released for ${key.releasedBy})`,
  ].join(' ');

const selectionOfEffects = (options: Selection): DeadLetterSelection => {
  const { service, inputKey, code, olderThanMs } = selectionOf(options);
  return { service, key: inputKey, code, olderThanMs };
};

const collect = (value: string, before: string[]): string[] => [...before, value];

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('--answer is not JSON');
  }
}

async function ls(options: Selection & { records: boolean }): Promise<void> {
  const selection = selectionOf(options);
  const [keys, effects] = await withStore((pool) =>
    Promise.all([parkedKeys(pool, selection), effectsOf(pool, selectionOfEffects(options))]),
  );
  const records = options.records ? await unreadableLetters({ ...options, olderThanMs: selection.olderThanMs }) : [];
  const lines = [...keys.map(lineOf), ...effects.map(effectLine), ...records.map(letterLine)];
  print(options.json, { keys, effects, records }, lines.join('\n') || 'Nothing is parked, dead or held.');
}

async function show({
  effect,
  service,
  key,
  plan,
  json,
}: Selection & { effect?: string; plan: boolean }): Promise<void> {
  if (effect !== undefined) return showEffect(effect, json);
  if (service === undefined || key === undefined) throw new UsageError('--effect, or --service and --key are needed');
  await withStore(async (pool) => {
    const [parked] = await parkedKeys(pool, { service, inputKey: key });
    if (!parked) throw new Error(`${key} is not parked at ${service}`);
    const waiting = await parkedMail(pool, service, key, SHOWN);
    const planned = plan ? await planOf(pool, service, waiting[0]) : undefined;
    const lines = waiting.map(
      (mail, i) => `${i === 0 ? 'failed' : `then ${String(i)}`}  ${mail.kind}  ${mail.key}\n${bodyOf(mail.body)}`,
    );
    const more = parked.waiting > waiting.length ? [`… and ${String(parked.waiting - waiting.length)} more`] : [];
    const text = [lineOf(parked), ...lines, ...more, ...(planned ? ['', 'today it would do', planned.text] : [])];
    print(json, { parked, waiting, ...(planned ? { plan: planned } : {}) }, text.join('\n'));
  });
}

// The service itself says what it would do, by a plan over the one record; it is given up once it was looked at.
async function planOf(pool: Pool, service: string, failed: Mail | undefined): Promise<Summary> {
  const [topic = '', partition = '', offset = ''] = placeOf(failed)?.split('/') ?? [];
  if (offset === '') throw new Error('what failed is no record of the log: there is nothing to plan');
  const offsets = { [partition]: [offset, String(BigInt(offset) + 1n)] as [string, string] };
  const id = await requestReplay(pool, { service, topic, selection: { offsets }, by: 'dlq show' });
  await follow(pool, id, ['planned', 'aborted']);
  await moveReplay(pool, id, ['planned'], 'aborted');
  return summaryOf((page) => replayPlans(pool, id, page), 1);
}

const placeOf = (mail: Mail | undefined): string | undefined =>
  mail?.kind === 'record' ? (mail.body as { at?: string }).at : undefined;

// A record's bytes are kept as base64; people want to read them.
function bodyOf(body: unknown): string {
  const record = body as { value?: string; topic?: string };
  const readable =
    record.topic !== undefined && record.value !== undefined
      ? { ...record, value: Buffer.from(record.value, 'base64').toString('utf8') }
      : body;
  return JSON.stringify(readable, null, 2).replace(/^/gm, '    ');
}

async function release(options: Selection & { all: boolean; by: string }): Promise<void> {
  const selection = selectionOf(options);
  if (!options.all && Object.values(selection).every((value) => value === undefined)) {
    throw new UsageError('nothing was selected; --all releases every parked key');
  }
  const asked = await withStore((pool) => requestRelease(pool, selection, options.by));
  print(options.json, { asked }, `Asked for the release of ${String(asked)} keys; \`dlq ls\` shows what is left.`);
}

async function discard(options: Selection & { effect?: string; everything: boolean; by: string }): Promise<void> {
  const { effect, service, key, everything, by, json } = options;
  if (effect !== undefined) return resolve(effect, { state: 'dead', code: 'discarded' }, json);
  if (service === undefined || key === undefined) throw new UsageError('--effect, or --service and --key are needed');
  const inputs = await withStore((pool) => discardParked(pool, service, key, everything ? 'all' : 'first', by));
  if (inputs.length === 0) throw new Error(`${key} is not parked at ${service}`);
  print(json, { discarded: inputs }, `Discarded ${inputs.join(', ')}. \`dlq release\` decides what waits behind it.`);
}
