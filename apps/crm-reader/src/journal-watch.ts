import type { Answer } from '#libs/contracts';
import { Counter, Gauge } from '#libs/platform';
import type { LookAnswer } from './journal.decider';

/** Where it is said that a journal cannot be read, and that it can be again. */
interface Lines {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const upTo = new Gauge(
  'refrain_journal_up_to_seconds',
  'Up to when the journal of an app was read, in seconds since 1970',
  ['app'],
);
const changes = new Counter('refrain_journal_changes', 'Changes that a journal told of, by what became of them', [
  'app',
  'is',
]);
const gaps = new Counter('refrain_journal_gaps', 'How often HubSpot knew the offset of a journal no longer', ['app']);

/** Measures how far journals were read; one that cannot be read is told once, and its return. */
export function journalWatch(lines: Lines) {
  const bad = new Map<string, string>();
  return {
    looked(app: string, answer: Answer<LookAnswer>): void {
      if (answer.outcome !== 'done') {
        if (bad.get(app) === answer.code) return;
        bad.set(app, answer.code);
        const { code, message: reason } = answer;
        lines.error(
          { app, code, reason },
          'the journal of an app cannot be read: it is tried again, and all else goes on',
        );
        return;
      }
      if (bad.delete(app)) lines.info({ app }, 'the journal of the app is read again');
      const { cursor, gapTo, ...read } = answer.value;
      upTo.set(cursor && read.upTo !== undefined ? Date.parse(read.upTo) / 1_000 : Date.now() / 1_000, app);
      changes.addMany(read.changes.length, app, 'taken');
      changes.addMany(read.left, app, 'left');
      changes.addMany(read.undeclared, app, 'undeclared');
      if (gapTo === undefined) return;
      gaps.add(app);
      lines.warn(
        { app, to: gapTo },
        'HubSpot forgot where the journal was read to: what it held until then is left to reconciling',
      );
    },
  };
}
