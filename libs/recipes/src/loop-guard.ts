import { hash } from 'node:crypto';
import type { RecordRef } from '#libs/contracts';
import type { Changer } from './changer';
import type { Whereabouts } from './fate';
import type { Recipe } from './recipe';
import { asTold, contentOf } from './trigger';

/** What a stream knows of the triggers of its recipe, to tell when machines answer each other. */
export interface Triggers {
  /** The trigger that was numbered last, its own time (RFC 3339), and how far it was from a person. */
  rootCause?: string;
  at?: string;
  depth: number;
  /** RFC 3339: when the hub last did what others may answer to. */
  actedAt?: string;
  /** RFC 3339: the last trigger that was refused. */
  cutAt?: string;
  /** Fingerprints of what the hub wrote last, by property. */
  written: Readonly<Record<string, string>>;
}

export const noTriggers: Triggers = { depth: 0, written: {} };

/** A trigger as the guard sees it. */
export interface Triggering {
  by?: Changer;
  content?: string;
  at: string;
  rootCause: string;
}

/** What becomes of a trigger. `again`: it was cut before. */
export type Ruling = { let: 'in'; depth: number } | { let: 'echo' } | { let: 'cut'; depth: number; again: boolean };

const WITHIN_MS = 10 * 60_000;
const MOST_ANSWERS = 3;

/**
 * Rules on a trigger, so that machines that answer each other through the hub end (decision 41). A person's change is always
 * let in, and begins anew. A machine's that repeats what the hub wrote last is an echo. A machine's within ten minutes of
 * what the hub did counts as the answer to it: three answers in a row are let in, then none until a person changes
 * something, or until none came for ten minutes. By the triggers' own times, never the clock's.
 */
export function ruleOn(triggers: Triggers, { by, content, at, rootCause }: Triggering): Ruling {
  const { depth, actedAt, cutAt, written } = triggers;
  if (by === 'person') return { let: 'in', depth: 0 };
  // What no machine set off by a change (a date, another source, a step before it) is no answer.
  if (by === undefined) return { let: 'in', depth };
  if (triggers.rootCause === rootCause) return cutAt === at ? { let: 'cut', depth, again: true } : { let: 'in', depth };
  if (content !== undefined && Object.values(written).includes(fingerprintOf(content))) return { let: 'echo' };
  if (cutAt !== undefined && isNear(at, cutAt)) return { let: 'cut', depth, again: true };
  const answers = actedAt !== undefined && isNear(at, actedAt) ? depth + 1 : 0;
  return answers > MOST_ANSWERS ? { let: 'cut', depth: answers, again: false } : { let: 'in', depth: answers };
}

/** The part of an event that says how far its trigger is from a person. */
export const depthOf = (ruling: { depth: number }): { depth?: number } =>
  ruling.depth > 0 ? { depth: ruling.depth } : {};

/** What is known after a trigger was numbered; `depth` as its event says it. */
export function numbered(
  triggers: Triggers,
  { rootCause, at, depth = 0 }: { rootCause: string; at: string; depth?: number },
): Triggers {
  if (triggers.rootCause === rootCause || (triggers.at !== undefined && isBefore(at, triggers.at))) return triggers;
  const { cutAt, ...rest } = triggers;
  return { ...rest, rootCause, at, depth, ...(depth > 0 && cutAt !== undefined ? { cutAt } : {}) };
}

/** What is known after a trigger was refused with {@link LOOP}. */
export const refused = (triggers: Triggers, at: string): Triggers => ({
  ...triggers,
  cutAt: triggers.cutAt !== undefined && isBefore(at, triggers.cutAt) ? triggers.cutAt : at,
});

/** What is known after the hub did what others may answer to. */
export const acted = (triggers: Triggers, actedAt: string | undefined): Triggers =>
  actedAt === undefined ? triggers : { ...triggers, actedAt };

/** What is known after the hub wrote a property that sets off the recipe. */
export const wrote = (
  triggers: Triggers,
  { property, fingerprint, at }: { property: string; fingerprint: string; at: string },
): Triggers => acted({ ...triggers, written: { ...triggers.written, [property]: fingerprint } }, at);

/** Why a trigger is refused. */
export const LOOP = {
  code: 'loop',
  reason: 'machines answer what the recipe does: they set it off no more until a person does, or they rest for a while',
} as const;

/** What a stream knows of its record: where that is, and what set its recipe off. */
export interface Known {
  where: Whereabouts;
  triggers: Triggers;
}

/** Tells whether a trigger says what was written, without keeping that. */
export const fingerprintOf = (content: string): string => hash('sha256', content).slice(0, 16);

const isNear = (one: string, other: string): boolean => Math.abs(Date.parse(one) - Date.parse(other)) < WITHIN_MS;
const isBefore = (one: string, other: string): boolean => Date.parse(one) < Date.parse(other);

/** What the hub wrote of a property that sets off a recipe. */
export interface Written {
  recipe: Recipe;
  record: RecordRef;
  value: { property: string; fingerprint: string; at: string };
}

/** The recipes of a tenant that a write of the hub would set off, were it somebody else's. */
export const writtenTo = (
  recipes: readonly Recipe[],
  {
    record,
    tenant,
    properties,
    at,
  }: { record: RecordRef; tenant: string; properties: Record<string, string>; at: string },
): Written[] =>
  recipes.flatMap((recipe) => {
    const { object, properties: awaited = [], source } = recipe.trigger;
    if (source !== undefined || object !== record.type) return [];
    if (recipe.tenants && !recipe.tenants.includes(tenant)) return [];
    return awaited.flatMap((property) => {
      const value = properties[property];
      if (value === undefined) return [];
      return [{ recipe, record, value: { property, fingerprint: fingerprintOf(contentOf(property, value)), at } }];
    });
  });

/** Whether two values are the same one, however each is written. */
export const isSameValue = (one: string, other: string): boolean => asTold(one) === asTold(other);

/** A change of a property that the hub writes, by somebody else. */
export interface Elsewhere {
  property: string;
  value: string;
  by: Changer;
  /** RFC 3339. */
  at: string;
}

/** Whether a recipe writes a property of records of a type. */
export const isWritten = (recipes: readonly Recipe[], object: string, property: string): boolean =>
  writtenNames(recipes).has(`${object} ${property}`);

/** What the hub itself says of a record's video. */
export const VIDEO = ['heygen_video_url', 'heygen_render_status', 'heygen_render_error', 'heygen_job_id'];
const names = new WeakMap<readonly Recipe[], Set<string>>();

// A set of recipes is replaced, never changed: its names are collected once.
function writtenNames(recipes: readonly Recipe[]): Set<string> {
  const known = names.get(recipes);
  if (known) return known;
  const all = new Set(
    recipes.flatMap((recipe) => {
      const written = recipe.steps.flatMap((step) => {
        if (step.kind === 'write') return Object.keys(step.properties);
        return step.kind === 'video' ? VIDEO : [];
      });
      return written.map((name) => `${recipe.trigger.object} ${name}`);
    }),
  );
  names.set(recipes, all);
  return all;
}
