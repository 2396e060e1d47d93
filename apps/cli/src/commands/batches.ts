import type { Command } from 'commander';
import { type OpenJob, openJobs } from '#libs/event-store';
import { print } from '../output';
import { withStore } from '../store';

/** What a batch keeps of itself while it is under way. */
interface Kept {
  id?: string;
  counts?: { total: number; done: number; failed: number };
  createdAt?: string;
  expiresAt?: string;
}

/** `refrain batches`: what was put off to be asked together, at half the price. */
export function addBatches(program: Command): void {
  program
    .command('batches')
    .description(
      'batches of questions to a language model that gather or are under way, and when they are done at the latest',
    )
    .option('--json', 'print as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const batches = (await withStore(openJobs)).map((job) => ({ ...shown(job), text: textOf(job) }));
      const text = batches.map((one) => one.text).join('\n') || 'No batch is under way, and nothing waits for one.';
      print(json, { batches: batches.map(({ text: _, ...batch }) => batch) }, text);
    });
}

const keptOf = ({ soFar }: OpenJob): Kept => soFar ?? {};

function shown(job: OpenJob) {
  const { soFar: _, alike: model, effects: questions, ...rest } = job;
  const { id, counts, expiresAt } = keptOf(job);
  return { ...rest, model, questions, batch: id, counts, expiresAt, doneBy: doneBy(keptOf(job), Date.now()) };
}

/** When it is done where it goes on as it went so far; unknown before the first answers. */
function doneBy({ counts, createdAt }: Kept, now: number): string | undefined {
  const answered = (counts?.done ?? 0) + (counts?.failed ?? 0);
  if (!counts || createdAt === undefined || answered === 0) return undefined;
  const from = Date.parse(createdAt);
  return new Date(from + ((now - from) * counts.total) / answered).toISOString();
}

function textOf(job: OpenJob): string {
  const { tenant, alike, state, code, effects, since, due } = job;
  const kept = keptOf(job);
  const about = `${tenant}  ${alike.padEnd(16)} ${String(effects)} questions`;
  if (state === 'gathering') return `${about}  gathering since ${since.toISOString()}${code ? `; after ${code}` : ''}`;
  if (kept.id === undefined) {
    const why = code === undefined ? 'to be submitted' : `not submitted yet: ${code}`;
    return `${about}  ${why}${due ? `; again at ${due.toISOString()}` : ''}`;
  }
  const { counts, expiresAt } = kept;
  const done = counts ? `  ${String(counts.done + counts.failed)} of ${String(counts.total)} answered` : '';
  const by = doneBy(kept, Date.now());
  const ends = [by && `done by ${by} as it goes`, expiresAt && `ends by ${expiresAt} at the latest`].filter(Boolean);
  return `${about}  ${kept.id}${done}${ends.length > 0 ? `; ${ends.join(', ')}` : ''}`;
}
