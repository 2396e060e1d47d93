import type { Command } from 'commander';
import { type Story, storyOf, streamsAbout, type StoryEffect, type StoryEvent } from '#libs/event-store';
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
      print(json, story, textOf(story));
    });
}

function textOf(story: Story): string {
  const lines = [
    ...story.events.map((event) => ({ at: event.at, text: eventText(event) })),
    ...story.effects.flatMap(effectLines),
  ].sort((a, b) => a.at.getTime() - b.at.getTime());
  const parked = story.parked.map((p) => `parked since ${p.since.toISOString()} at ${p.service}: ${p.reason}`);
  return [...lines.map(({ at, text }) => `${at.toISOString()}  ${text}`), ...parked, costText(story.effects)].join(
    '\n',
  );
}

const eventText = ({ service, type, data, meta }: StoryEvent): string =>
  `${service.padEnd(19)} ${type}  ${JSON.stringify(data)}  trace ${meta.traceparent?.split('-')[1] ?? 'none'}`;

function effectLines(effect: StoryEffect): { at: Date; text: string }[] {
  const who = effect.service.padEnd(19);
  const name = `${effect.kind}${effect.generation > 1 ? ` (generation ${String(effect.generation)})` : ''}`;
  const owed = { at: effect.owedAt, text: `${who} owes ${name}  ${JSON.stringify(effect.request)}` };
  const counts = `${String(effect.attempts)} calls, ${String(effect.refusals)} refused, ${String(effect.repeats)} repeated unknown`;
  const came = effect.code === null ? JSON.stringify(effect.answer) : effect.code;
  const ended = { at: effect.settledAt ?? new Date(), text: `${who} ${name} is ${effect.state} (${counts})  ${came}` };
  return [owed, ended];
}

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
