import type { Command } from 'commander';
import { EVENT_TYPE, Topic } from '#libs/contracts';
import { boundsOf, type IncomingRecord, readRange } from '#libs/log';
import { type Field, FieldTally } from '#libs/recipes';
import { environmentOption } from '../environment';
import { publishedRecipes } from '../live-recipes';
import { logConnection } from '../log';
import { print, UsageError } from '../output';
import { Progress } from '../progress';
import { timeBefore } from '../since';

interface FieldsOptions {
  topic: string[];
  last: string;
  new?: string;
  conflicts: boolean;
  environment: string;
  json: boolean;
}

const ingress: string[] = [Topic.ingressHubspot, Topic.ingressGeneric];

/** `refrain recipes fields`: what the events bring, so that a field that is new or has changed its type is noticed. */
export function addFields(recipes: Command): void {
  recipes
    .command('fields')
    .description(
      'list the fields that the events on the log bring: since when, how often, of which types, and which live recipes ' +
        'wait for them; values are never shown',
    )
    .option('--topic <topic...>', `which ingress topics: ${ingress.join(', ')}`, ingress)
    .option('--last <duration>', 'records of the last 30m, 24h or 7d', '7d')
    .option('--new <duration>', 'only fields that were seen first within the last 30m, 24h or 7d')
    .option('--conflicts', 'only fields whose values are of several types', false)
    .addOption(environmentOption())
    .option('--json', 'print as JSON', false)
    .action(fields);
}

async function fields({
  topic: topics,
  last,
  new: within,
  conflicts,
  environment,
  json,
}: FieldsOptions): Promise<void> {
  const unknown = topics.find((topic) => !ingress.includes(topic));
  if (unknown !== undefined) throw new UsageError(`${unknown} is none of ${ingress.join(', ')}`);
  const from = timeBefore(last, '--last');
  const since = within === undefined ? undefined : timeBefore(within, '--new');
  const tally = new FieldTally();
  const records = await countAll(topics, from, tally);
  const found = tally
    .result((await publishedRecipes(environment)).recipes)
    .filter(
      ({ firstSeen, conflict }) =>
        (since === undefined || firstSeen >= since) && (!conflicts || conflict !== undefined),
    );
  const beyond =
    tally.beyond > 0 ? [`${String(tally.beyond)} more were not counted: a sender brings ever new names.`] : [];
  print(
    json,
    { records, from, fields: found, beyond: tally.beyond },
    [
      ...found.map(lineOf),
      `${String(found.length)} fields in ${String(records)} records since ${from}.`,
      ...beyond,
    ].join('\n'),
  );
}

async function countAll(topics: readonly string[], from: string, tally: FieldTally): Promise<number> {
  const connection = logConnection();
  const progress = new Progress(process.stderr);
  let read = 0;
  for (const topic of topics) {
    const bounds = await boundsOf(connection, { topic, fromMs: Date.parse(from) });
    const total = [...bounds.values()].reduce((sum, { next, end }) => sum + Number(end - next), read);
    await readRange(connection, topic, bounds, (records) => {
      for (const record of records) count(tally, record);
      read += records.length;
      progress.show(topic, read, total);
      return Promise.resolve();
    });
  }
  progress.end();
  return read;
}

function count(tally: FieldTally, { envelope, headers, value, topic, partition, offset }: IncomingRecord): void {
  if (!envelope) return;
  const eventType = headers[EVENT_TYPE];
  const record = {
    envelope,
    ...(eventType === undefined ? {} : { eventType }),
    hash: '',
    get value(): unknown {
      return JSON.parse(value.toString()) as unknown;
    },
  };
  tally.add(record, `${topic}/${String(partition)}/${offset}`);
}

const lineOf = ({ of, field, types, firstSeen, conflict, recipes }: Field): string =>
  [
    `${of}: ${field}`.padEnd(48),
    Object.entries(types)
      .map(([type, times]) => `${type} ${String(times)}`)
      .join(', ')
      .padEnd(24),
    `since ${firstSeen}`,
    ...(recipes.length > 0 ? [`for ${recipes.join(', ')}`] : []),
    ...(conflict === undefined ? [] : [`! other type at ${conflict}`]),
  ].join('  ');
