import type { Expression, Json } from '#libs/expressions';
import { type Rejection, rejectionOf, type StepBase, type StepBindings, unmetBy } from './step';
import { plain, type Text } from './text';

/** A question to another system about a record. */
export interface FetchStep extends StepBase {
  kind: 'fetch';
  /** The declared system that is asked. */
  system: string;
  path: Text;
  /** The path as the recipe has it. */
  at: string;
  query: Record<string, Text>;
  /** How long an answer to the same question is used again, in milliseconds; without it each trigger asks. */
  keepMs?: number;
  /** Expressions over the answer; their names are the fields that later steps read. */
  take: Record<string, Expression>;
  /** The fields where the system knows nothing of it (404). */
  otherwise?: Record<string, Json>;
  /** What must be read of the record first. */
  reads: string[];
}

/** A question ready to be asked, or why none is: `path` with its query, encoded. */
export type PreparedFetch = { path: string } | { rejected: Rejection };

/** Fills a fetch's path and query; a query's null is left out. */
export function prepareFetch(step: FetchStep, bindings: StepBindings): PreparedFetch {
  const unmet = step.when && unmetBy(step.when, { ...bindings });
  if (unmet) return { rejected: unmet };
  try {
    const path = plain(step.path.evaluate({ ...bindings }));
    const asked = Object.entries(step.query).flatMap(([name, text]): [string, string][] => {
      const value = text.evaluate({ ...bindings });
      return value === null ? [] : [[name, plain(value).toWellFormed()]];
    });
    const query = asked.length > 0 ? `?${new URLSearchParams(asked).toString()}` : '';
    if (leaves(path)) return unfit('a part of the path would lead elsewhere');
    return path.length + query.length > LONGEST ? unfit('path and query are too long') : { path: path + query };
  } catch (error) {
    return { rejected: error instanceof UnfitPart ? error.rejection : rejectionOf(error) };
  }
}

/** Longer ones are refused by common servers. */
const LONGEST = 4_000;

const unfit = (reason: string): PreparedFetch => ({ rejected: { code: 'path', reason } });

/** A part of a path that cannot stand there: it ends this input's step. */
export class UnfitPart extends Error {
  constructor(readonly rejection: Rejection) {
    super(rejection.reason);
  }
}

/** A value as one segment of a path: whatever it holds, it stays one. Throws what {@link prepareFetch} tells. */
export function segment(value: Json): string {
  const text = plain(value).trim();
  if (text === '') throw new UnfitPart({ code: 'missing', reason: 'a part of the path is missing' });
  return encodeURIComponent(text.toWellFormed());
}

/** Whether a path has a part that servers take for a step to another folder, also where it stands encoded. */
export function leaves(path: string): boolean {
  try {
    return decodeURIComponent(path)
      .split(/[/\\]/)
      .some((part) => /^\.{1,2}$/.test(part.trim()));
  } catch {
    return true;
  }
}

/** What a step takes of an answer, or why it takes nothing. */
export function takeOf(
  step: FetchStep,
  answer: { status: number; body: unknown },
): { fields: Record<string, Json> } | { rejected: Rejection } {
  if (answer.status === NOT_FOUND) {
    return step.otherwise
      ? { fields: step.otherwise }
      : { rejected: { code: 'not-found', reason: `${step.system} knows nothing of it` } };
  }
  try {
    const fields = Object.fromEntries(Object.entries(step.take).map(([name, one]) => [name, one.evaluate(answer)]));
    const size = JSON.stringify(fields).length;
    return size > MOST_TAKEN ? { rejected: { code: 'too-large', reason: TOO_MUCH } } : { fields };
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
}

const NOT_FOUND = 404;
/** In characters: fields go along with every event behind the step. */
const MOST_TAKEN = 32_768;
const TOO_MUCH = `more than ${String(MOST_TAKEN)} characters would be taken: name single fields`;
