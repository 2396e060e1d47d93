import type { Command } from 'commander';
import { VERIFIED } from '#libs/contracts';
import { type Story, storyOf, streamsAbout, type StoryEffect, type StoryEvent } from '#libs/event-store';
import { ConfigError } from '#libs/platform';
import { logConnection, recordAt } from '../log';
import { print } from '../output';
import { withStore } from '../store';

/** `refrain explain`: the whole story of a record, a video, a trace or an event, in order. */
export function addExplain(program: Command): void {
  program
    .command('explain <id>')
    .description('tell what happened about a contact id, video id, trace id, webhook event id or root cause, in order')
    .option('--json', 'print as JSON', false)
    .action(async (id: string, { json }: { json: boolean }) => {
      const story = await withStore(async (pool) => {
        const streams = await streamsAbout(pool, id);
        if (streams.length === 0) throw new Error(`nothing is known of ${id}`);
        return storyOf(pool, streams);
      });
      const received = await receivedBy(story);
      print(json, { received, ...story }, textOf(story, received));
    });
}

/** A record of the story as a vendor sent it: its place on the log, its bytes, and how its sender was known. */
interface Received {
  at: string;
  time: Date;
  value: string;
  verified: string;
}

// What came from outside is shown as it came. Without the log's settings, or past its retention, only its place is known.
async function receivedBy({ records }: Story): Promise<Received[]> {
  const ingress = records.filter((place) => place.startsWith('ingress.'));
  try {
    const connection = logConnection();
    const found = await Promise.all(ingress.map((place) => recordAt(connection, place)));
    return found.flatMap((record, i) =>
      record
        ? {
            at: ingress[i] ?? '',
            time: new Date(record.timestamp),
            value: record.value.toString('utf8'),
            verified: record.headers[VERIFIED] ?? 'not noted',
          }
        : [],
    );
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

function textOf(story: Story, received: Received[]): string {
  const shown = new Set(received.map(({ at }) => at));
  const lost = story.records.filter((place) => place.startsWith('ingress.') && !shown.has(place));
  const lines = [
    ...received.flatMap(receivedLines),
    ...story.events.map((event) => ({ at: event.at, text: eventText(event) })),
    ...story.effects.flatMap(effectLines),
  ].sort((a, b) => a.at.getTime() - b.at.getTime());
  const unseen = lost.map((place) => `${place} is not shown: no KAFKA_BROKERS, or past the topic's retention`);
  const parked = story.parked.map((p) => `parked since ${p.since.toISOString()} at ${p.service}: ${p.reason}`);
  return [
    ...lines.map(({ at, text }) => `${at.toISOString()}  ${text}`),
    ...unseen,
    ...parked,
    costText(story.effects),
  ].join('\n');
}

const receivedLines = ({ at, time, value, verified }: Received) => [
  { at: time, text: `${'log'.padEnd(19)} ${at}  ${value}` },
  { at: time, text: `${'log'.padEnd(19)} verified: ${verified}` },
];

const eventText = ({ service, type, data, meta }: StoryEvent): string =>
  `${service.padEnd(19)} ${type}  ${JSON.stringify(data)}  trace ${meta.traceparent?.split('-')[1] ?? 'none'}`;

function effectLines(effect: StoryEffect): { at: Date; text: string }[] {
  const who = effect.service.padEnd(19);
  const name = `${effect.kind}${effect.generation > 1 ? ` (generation ${String(effect.generation)})` : ''}`;
  const owed = {
    at: effect.owedAt,
    text: `${who} owes ${name}${wanted(effect.recipes)}  ${effect.request === null ? FORGOTTEN : JSON.stringify(effect.request)}`,
  };
  const counts = `${String(effect.attempts)} calls, ${String(effect.refusals)} refused, ${String(effect.repeats)} repeated unknown`;
  const came = effect.code === null ? JSON.stringify(effect.answer) : effect.code;
  const ended = { at: effect.settledAt ?? new Date(), text: `${who} ${name} is ${effect.state} (${counts})  ${came}` };
  return [owed, ended];
}

// Of a question that is answered, and of whatever was erased.
const FORGOTTEN = '(what was asked is forgotten)';

const wanted = (recipes: string[]): string => (recipes.length > 0 ? ` for ${recipes.join(', ')}` : '');

function costText(effects: StoryEffect[]): string {
  const total: Record<string, number> = {};
  for (const { cost } of effects) {
    for (const [unit, amount] of Object.entries((cost ?? {}) as Record<string, number>)) {
      total[unit] = (total[unit] ?? 0) + amount;
    }
  }
  const spent = Object.entries(total).map(([unit, amount]) => `${String(amount)} ${unit}`);
  return `cost: ${spent.join(', ') || 'none noted'}`;
}
