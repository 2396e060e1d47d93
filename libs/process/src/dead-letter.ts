import type { DeadLetter, IncomingRecord } from '#libs/log';
import { Killer } from './caution';
import { UnreadableRecord } from './definition';

/** What `<service>.dlq` says of a record of which no input could be made, by a version of the code. */
export const deadLetterOf = (
  service: string,
  handlerVersion: string,
  record: IncomingRecord,
  error: Error,
): DeadLetter => ({
  service,
  record,
  handlerVersion,
  attempts: error instanceof Killer ? error.deaths : 1,
  error: { code: codeOf(error), class: error.name, message: error.message },
});

function codeOf(error: Error): string {
  if (error instanceof Killer) return error.code;
  return error instanceof UnreadableRecord ? 'unreadable' : 'bug';
}
