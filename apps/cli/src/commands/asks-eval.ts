import { existsSync, readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Effort, efforts } from '#libs/contracts';
import { loadConfig } from '#libs/platform';
import { type AskFile, type AskRow, type Asks, readAsk, readRows, RecipeFault, type RowSource } from '#libs/recipes';
import { OpenAiClient, PRICES_OF } from '#libs/vendors/openai';
import { askOf, asksIn, asksOption } from '../asks';
import { modelConfig } from '../cli.config';
import { askAll, type Asked, boundOf, type Side } from '../evaluation/asking';
import { boundLines, evaluationLines } from '../evaluation/report';
import { evaluationOf } from '../evaluation/result';
import { print, UsageError } from '../output';
import { Progress } from '../progress';

interface Options {
  dataset: string;
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
`;

/** `refrain asks eval`: how an ask is answered on labelled rows, by itself or beside another version, file or model. */
export function addAsksEval(asks: Command): void {
  asks
    .command('eval <ask>')
    .description(
      'ask on labelled rows and compare the answers with the labels, by field; with --model, --ask or --against also with ' +
        'the answers of the ask as it is. The model is asked anew each time, and paid for',
    )
    .requiredOption('--dataset <file>', 'the labelled rows: YAML, or JSON lines (.jsonl)')
    .addOption(asksOption())
    .option('--model <id>', 'by another model than the ask says')
    .addOption(new Option('--effort <measure>', 'thinking as much').choices(efforts))
    .option('--ask <file>', 'by the ask of this file, which need not be among the others')
    .option('--against <ask>', 'compare with the answers of this one (name@version)')
    .option('--limit <number>', 'the first so many rows only', whole)
    .option('--at-once <number>', 'questions under way at a time', whole, 4)
    .option('--least-agreement <share>', 'exit with 1 where the answers agree less with the labels, such as 0.9', share)
    .option('--rows <number>', 'how many differences between two sides are shown', whole, 10)
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
  const { dryRun, json, leastAgreement } = options;
  const sides = sidesOf(asksIn(options.asks), named, options);
  const tried = sides.at(-1);
  if (!tried) return;
  const rows = (await rowsOfFile(options.dataset)(tried.ask)).slice(0, options.limit);
  factsFit(sides, rows);
  const config = loadConfig(dryRun ? modelConfig.omit({ OPENAI_API_KEY: true }) : modelConfig, process.env);
  const bounds = sides.map((side) => boundOf(side, rows, config.OPENAI_MOST_TOKENS));
  const lines = boundLines(bounds, PRICES_OF);
  if (dryRun) {
    print(json, { dryRun, sides: sides.map(({ name }, i) => ({ name, most: bounds[i] })) }, lines.join('\n'));
    return;
  }
  process.stderr.write(`${lines.join('\n')}\n`);
  const evaluation = evaluationOf(sides, rows, await askedOf(sides, rows, options));
  const { agreement, answered } = evaluation.sides.at(-1) ?? { answered: 0 };
  const passed = answered > 0 && (leastAgreement === undefined || (agreement ?? 0) >= leastAgreement);
  const failed = evaluation.sides.flatMap(({ errors }) => Object.values(errors)).reduce((sum, n) => sum + n, 0);
  print(
    json,
    { dataset: options.dataset, passed, ...(leastAgreement === undefined ? {} : { leastAgreement }), ...evaluation },
    evaluationLines(evaluation, options.rows).join('\n'),
  );
  if (failed > 0) process.stderr.write(`refrain: ${String(failed)} questions have no answer: they agree in nothing\n`);
  if (passed) return;
  const why = answered === 0 ? 'nothing was answered' : `it agrees less than ${String(leastAgreement)}`;
  process.stderr.write(`refrain: ${why}\n`);
  process.exitCode = 1;
}

/** What is tried, behind what it is compared with. */
function sidesOf(asks: Asks, named: string, { ask: file, model, effort, against }: Options): Side[] {
  const asIs = askOf(asks, named);
  const read = file === undefined ? asIs : askOfFile(file);
  const ask: AskFile = {
    ...read,
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
  };
  const how = [model, effort].filter((one) => one !== undefined).join(', ');
  const name = [file ?? asIs.ask, ...(how === '' ? [] : [`by ${how}`])].join(' ');
  const isChanged = file !== undefined || how !== '';
  const base = against === undefined ? (isChanged ? asIs : undefined) : askOf(asks, against);
  if (base && base.ask === name) throw new UsageError(`${name} is compared with itself: name another by --against`);
  return [...(base ? [{ name: base.ask, ask: base }] : []), { name, ask }];
}

function askOfFile(file: string): AskFile {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  const read = readAsk(readFileSync(file, 'utf8'), file);
  if ('faults' in read) throw new RecipeFault(read.faults);
  return read.ask;
}

const rowsOfFile =
  (file: string): RowSource =>
  (ask) => {
    if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
    const read = readRows(readFileSync(file, 'utf8'), file, ask);
    if ('faults' in read) throw new RecipeFault(read.faults);
    return Promise.resolve(read.rows);
  };

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
