import { type Answer, BATCH_REFUSED } from '#libs/contracts';
import { sortedPart } from './errors';

/** An input of a batch, by what HubSpot's answer calls it again: its record, its trace id, or the value it is known by. */
export interface Part {
  id?: string;
  /** Unique property whose value `id` is; without it `id` is the record's. */
  idProperty?: string;
  objectWriteTraceId?: string;
}

/** A record as a batch answers it. */
interface Written {
  id: string;
  objectWriteTraceId?: string;
  properties: Record<string, string | null>;
}

/** What went wrong with one or several inputs. */
interface Wrong {
  category: string;
  message: string;
  context?: Record<string, string[]>;
  errors?: { code?: string }[];
}

/** The body of a batch's success, in whole or in part (207), which is no error to the SDK. */
export interface BatchBody<R extends Written = Written> {
  results: R[];
  errors?: Wrong[];
}

/**
 * Takes the answer to a batch apart: one answer for each input, in their order. A batch that was refused whole for what
 * one input says is refused for each as {@link BATCH_REFUSED}; an input of which the answer says nothing is unknown.
 */
export function answersOf<R extends Written>(parts: readonly Part[], answer: Answer<BatchBody<R>>): Answer<R>[] {
  if (answer.outcome === 'stop' && parts.length > 1) {
    const { message } = answer;
    return parts.map(() => ({ outcome: 'retry', code: BATCH_REFUSED, message, refused: true, afterMs: 0 }));
  }
  if (answer.outcome !== 'done') return parts.map(() => answer);
  const { results, errors = [] } = answer.value;
  const written = new Set(results);
  const found = parts.map((part) => {
    const wrong = errors.find((error) => isAbout(error, part));
    if (wrong) return sortedPart(wrong);
    const result = [...written].find((one) => isOf(one, part));
    if (result) written.delete(result);
    return result && done(result);
  });
  // A record that was merged answers by another id, and some errors name nobody: what is left over can be told only
  // where it is one.
  const [left] = written;
  const rest = found.filter((one) => one === undefined).length;
  const nameless = errors.filter(namesNobody);
  const single = rest === 1 && written.size === 1 && left && nameless.length === 0 ? done(left) : undefined;
  const [error] = nameless;
  const ofRest = single ?? (error && written.size === 0 ? sortedPart(error) : NOT_SAID);
  return found.map((one) => one ?? ofRest);
}

/** The answer for the only input of a batch. */
export const answerOf = <R extends Written>(part: Part, answer: Answer<BatchBody<R>>): Answer<R> =>
  answersOf([part], answer)[0] ?? NOT_SAID;

const NOT_SAID = { outcome: 'unknown', code: 'no-result', message: 'the answer says nothing of it' } as const;

const done = <R>(value: R): Answer<R> => ({ outcome: 'done', value });

const named = ({ context = {} }: Wrong, ...keys: string[]): string[] => keys.flatMap((key) => context[key] ?? []);

const namesNobody = (wrong: Wrong): boolean => named(wrong, 'ids', 'id', 'objectWriteTraceId').length === 0;

const isAbout = (wrong: Wrong, { id, objectWriteTraceId: trace }: Part): boolean =>
  (id !== undefined && named(wrong, 'ids', 'id').includes(id)) ||
  (trace !== undefined && named(wrong, 'objectWriteTraceId').includes(trace));

function isOf(result: Written, { id, idProperty, objectWriteTraceId: trace }: Part): boolean {
  if (trace !== undefined && result.objectWriteTraceId !== undefined) return result.objectWriteTraceId === trace;
  if (id === undefined) return false;
  if (idProperty === undefined) return result.id === id;
  // HubSpot keeps some values, such as addresses, in lower case.
  return result.properties[idProperty]?.toLowerCase() === id.toLowerCase();
}
