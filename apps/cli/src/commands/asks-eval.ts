import { existsSync, readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Effort, efforts } from '#libs/contracts';
import { loadConfig } from '#libs/platform';
import { type AskFile, askNamed, type AskRow, type Asks, readAsk, readRows, RecipeFault } from '#libs/recipes';
import { OpenAiClient, PRICES_OF } from '#libs/vendors/openai';
import { askOf, asksIn, asksOption } from '../asks';
import { modelConfig } from '../cli.config';
import { askAll, type Asked, boundOf, bytesTold, type Side } from '../evaluation/asking';
import {
  foundLines,
  openCalls,
  type Recorded,
  recordedCalls,
  type RecordedFound,
  recordedInputs,
  recordedLines,
  unopened,
} from '../evaluation/recorded';
import { boundLines, evaluationLines } from '../evaluation/report';
import { evaluationOf } from '../evaluation/result';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { Progress } from '../progress';
import { sealingConfig } from '../sealed-questions';
import { timeBefore } from '../since';
import { withStore } from '../store';

interface Options {
  dataset?: string;
  recorded?: number;
  why?: string;
  by: string;
  tenant?: string;
  since?: string;
  asks?: string;
  model?: string;
  effort?: Effort;
  against?: string;
  ask?: string;
  limit?: number;
  atOnce: number;
  leastAgreement?: number;
  rows: number;
  dryRun: boolean;
  json: boolean;
}

const example = `
Example: would a cheaper model answer as well, and what would it cost?

  npx refrain asks eval lead-qualification --dataset asks/lead-qualification.rows.yaml --model gpt-6-luna --dry-run

Example: what would another wording have answered to what was asked of late?

  npx refrain asks eval lead-qualification --recorded 50 --ask drafts/lead-qualification@2.yaml --why "ticket 88"
`;

/**
 * `refrain asks eval`: how an ask is answered on labelled rows, or on recorded inputs beside what was answered then; by
 * itself or beside another version, file or model.
 */
export function addAsksEval(asks: Command): void {
  asks
    .command('eval <ask>')
    .description(
      'ask on labelled rows and compare the answers with the labels, by field; with --model, --ask or --against also with ' +
        'the answers of the ask as it is. Or ask what was asked before, and compare with what was answered then ' +
        '(--recorded). The model is asked anew each time, and paid for',
    )
    .option('--dataset <file>', 'the labelled rows: YAML, or JSON lines (.jsonl)')
    .addOption(
      new Option(
        '--recorded [number]',
        'in their place the newest so many inputs that the ask was asked, in whatever version. They are ' +
          'unsealed, which is told on call.events.v1',
      )
        .argParser(whole)
        .preset('100'),
    )
    .option('--why <reason>', 'why recorded inputs must be seen; kept with who sees them')
    .addOption(byOption())
    .option('--tenant <name>', 'recorded inputs of this tenant only')
    .option('--since <duration>', 'recorded inputs of the last 30m, 24h, 7d … only')
    .addOption(asksOption())
    .option('--model <id>', 'by another model than the ask says')
    .addOption(new Option('--effort <measure>', 'thinking as much').choices(efforts))
    .option('--ask <file>', 'by the ask of this file, which need not be among the others')
    .option('--against <ask>', 'compare with the answers of this one (name@version)')
    .option('--limit <number>', 'the first so many rows only', whole)
    .option('--at-once <number>', 'questions under way at a time', whole, 4)
    .option(
      '--least-agreement <share>',
      'exit with 1 where the answers agree less with the labels, or with what is recorded, such as 0.9',
      share,
    )
    .option('--rows <number>', 'how many differences are shown between two sides, or from what is recorded', whole, 10)
    .option('--dry-run', 'only say what it would cost at most', false)
    .option('--json', 'print as JSON', false)
    .addHelpText('after', example)
    .action(evaluate);
}

function whole(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`${text} is no whole number from 1 on`);
}

function share(text: string): number {
  if (/^(0(\.\d+)?|1(\.0+)?)$/.test(text)) return Number(text);
  throw new UsageError(`${text} is no share from 0 to 1, such as 0.9`);
}

async function evaluate(named: string, options: Options): Promise<void> {
  fitTogether(options);
  const { dryRun, json, leastAgreement } = options;
  const sides = sidesOf(asksIn(options.asks), named, options);
  const tried = sides.at(-1);
  if (!tried) return;
  const config = loadConfig(dryRun ? modelConfig.omit({ OPENAI_API_KEY: true }) : modelConfig, process.env);
  const { is, lines, told, rows, recorded } =
    options.dataset === undefined
      ? await recordedOf(askNamed(named).name, tried.ask, options)
      : labelledOf(sides, tried.ask, options.dataset, options.limit);
  const bounds = sides.map((side) => boundOf(side, told(side), config.OPENAI_MOST_TOKENS));
  const before = [...lines, ...boundLines(bounds, PRICES_OF)].join('\n');
  if (dryRun) {
    print(json, { dryRun, ...is, sides: sides.map(({ name }, i) => ({ name, most: bounds[i] })) }, before);
    return;
  }
  process.stderr.write(`${before}\n`);
  const evaluation = evaluationOf(sides, rows, await askedOf(sides, rows, options), recorded);
  const { agreement, answered } = evaluation.sides.at(-1) ?? { answered: 0 };
  const passed = answered > 0 && (leastAgreement === undefined || (agreement ?? 0) >= leastAgreement);
  const failed = evaluation.sides.flatMap(({ errors }) => Object.values(errors)).reduce((sum, n) => sum + n, 0);
  const took = evaluation.recorded && { recorded: { ...is.recorded, ...evaluation.recorded } };
  print(
    json,
    { ...is, passed, ...(leastAgreement === undefined ? {} : { leastAgreement }), ...evaluation, ...took },
    evaluationLines(evaluation, options.rows).join('\n'),
  );
  if (failed > 0) process.stderr.write(`refrain: ${String(failed)} questions have no answer: they agree in nothing\n`);
  if (passed) return;
  const why = answered === 0 ? 'nothing was answered' : `it agrees less than ${String(leastAgreement)}`;
  process.stderr.write(`refrain: ${why}\n`);
  process.exitCode = 1;
}

function fitTogether({ dataset, recorded, why, tenant, since, limit, dryRun }: Options): void {
  if ((dataset === undefined) === (recorded === undefined))
    throw new UsageError('name either labelled rows by --dataset <file>, or past inputs by --recorded');
  if (recorded === undefined) {
    const [stray] = Object.entries({ why, tenant, since }).filter(([, given]) => given !== undefined);
    if (stray) throw new UsageError(`--${stray[0]} goes with --recorded`);
    return;
  }
  if (limit !== undefined) throw new UsageError('--recorded says itself how many, such as --recorded 50');
  if (!dryRun && !why?.trim())
    throw new UsageError('--recorded needs --why: it is kept who saw what, and why; --dry-run opens nothing');
}

/** On what sides are asked. */
interface Inputs {
  /** What it is, in JSON and as lines for people. */
  is: { dataset?: string; recorded?: Recorded | RecordedFound };
  lines: string[];
  /** How many bytes each of a side's questions tells, at most. */
  told(side: Side): number[];
  rows: readonly AskRow[];
  /** What was answered to each then. */
  recorded?: readonly Asked[];
}

function labelledOf(sides: readonly Side[], ask: AskFile, dataset: string, limit: number | undefined): Inputs {
  const rows = rowsOfFile(dataset, ask).slice(0, limit);
  factsFit(sides, rows);
  return { is: { dataset }, lines: [], told: (side) => bytesTold(side, rows), rows };
}

/** The recorded inputs, opened where they are to be asked. */
async function recordedOf(name: string, ask: AskFile, options: Options): Promise<Inputs> {
  const { recorded: most = 0, tenant, since, dryRun, by, why = '' } = options;
  const wanted = {
    ...{ ask: name, most, ...(tenant === undefined ? {} : { tenant }) },
    ...(since === undefined ? {} : { since: timeBefore(since, '--since') }),
  };
  return withStore(async (pool) => {
    if (dryRun) {
      const { said, told } = unopened(name, await recordedCalls(pool, wanted));
      return { is: { recorded: said }, lines: foundLines(said), told: () => told, rows: [] };
    }
    const { SEALING_KEY: keys } = loadConfig(sealingConfig, process.env);
    const opened = await openCalls(pool, await recordedCalls(pool, wanted), keys, { by, why: why.trim() });
    const { said, rows, came } = recordedInputs(name, ask, opened);
    const told = (side: Side) => bytesTold(side, rows);
    return { is: { recorded: said }, lines: recordedLines(said), told, rows, recorded: came };
  });
}

/** What is tried, behind what it is compared with. */
function sidesOf(asks: Asks, named: string, { ask: file, model, effort, against, recorded }: Options): Side[] {
  const asIs = askOf(asks, named);
  const read = file === undefined ? asIs : askOfFile(file);
  const ask: AskFile = {
    ...read,
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
  };
  const how = [model, effort].filter((one) => one !== undefined).join(', ');
  const name = [file ?? asIs.ask, ...(how === '' ? [] : [`by ${how}`])].join(' ');
  // What is recorded is there already; beside that nothing is paid for that nobody named.
  const isBeside = recorded === undefined && (file !== undefined || how !== '');
  const base = against === undefined ? (isBeside ? asIs : undefined) : askOf(asks, against);
  if (base && base.ask === name) throw new UsageError(`${name} is compared with itself: name another by --against`);
  return [...(base ? [{ name: base.ask, ask: base }] : []), { name, ask }];
}

function askOfFile(file: string): AskFile {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  const read = readAsk(readFileSync(file, 'utf8'), file);
  if ('faults' in read) throw new RecipeFault(read.faults);
  return read.ask;
}

function rowsOfFile(file: string, ask: AskFile): AskRow[] {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  const read = readRows(readFileSync(file, 'utf8'), file, ask);
  if ('faults' in read) throw new RecipeFault(read.faults);
  return read.rows;
}

/** What one side is told the other must know, too. */
function factsFit(sides: readonly Side[], rows: readonly AskRow[]): void {
  for (const { name, ask } of sides) {
    const missing = rows.flatMap((row) => row.missing(ask))[0];
    if (missing !== undefined) throw new UsageError(`${name} needs the fact ${missing}, which not every row gives`);
  }
}

async function askedOf(sides: readonly Side[], rows: readonly AskRow[], { atOnce }: Options): Promise<Asked[][]> {
  const config = loadConfig(modelConfig, process.env);
  const model = new OpenAiClient({
    baseUrl: config.OPENAI_BASE_URL,
    apiKey: config.OPENAI_API_KEY,
    api: config.OPENAI_API,
    structure: config.OPENAI_STRUCTURE,
    isCompatible: config.OPENAI_COMPATIBLE,
    mostTokens: config.OPENAI_MOST_TOKENS,
  });
  const progress = new Progress(process.stderr);
  const total = rows.length * sides.length;
  progress.show('asking', 0, total);
  const asked = (done: number) => {
    progress.show('asking', done, total);
  };
  try {
    return await askAll(sides, rows, { model, deadlineMs: config.OPENAI_DEADLINE, atOnce, asked });
  } finally {
    progress.end();
  }
}
