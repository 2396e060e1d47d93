import type { Guard, RecordRef, Results } from '#libs/contracts';
import type { Recipe, Whereabouts } from '#libs/recipes';

/** What a step of a record follows: whose results it reads, and how its wishes are ordered among others. */
export interface Followed {
  /** RFC 3339. */
  time: string;
  guard: Guard;
  results: Results;
  content?: string;
  /** How many answers of machines led to its trigger. */
  depth?: number;
}

/** The part of it that events say. */
export const followedBy = ({ time, guard, results, content, depth }: Followed): Followed => ({
  time,
  guard,
  results,
  ...(content === undefined ? {} : { content }),
  ...(depth === undefined ? {} : { depth }),
});

/** Which step of which trigger it is, as events say it. */
export const aboutOf = (due: { recipe: Recipe; step: { name: string }; rootCause: string }) => ({
  recipe: due.recipe.id,
  recipeVersion: due.recipe.version,
  step: due.step.name,
  rootCause: due.rootCause,
});

/** Where a step is taken: the stream's record, the one that it is now, and how it came to be that. */
export interface Place {
  own: RecordRef;
  record: RecordRef;
  where: Whereabouts;
}

/** Why a step is not taken. */
export interface Refusal {
  code: string;
  reason: string;
  /** What the step did before may be done again. */
  over?: true;
}

export const UNREADABLE: Refusal = { code: 'unreadable', reason: 'the record could not be read' };

/** Whether a wish is older than another: by trigger time, then number, then rank of state (protocol 16). */
export function precedes(older: Guard, newer: Guard): boolean {
  const byTime = Date.parse(older.at) - Date.parse(newer.at);
  if (byTime !== 0) return byTime < 0;
  if (older.number !== newer.number) return older.number < newer.number;
  return older.rank < newer.rank;
}
