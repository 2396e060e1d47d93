import { isPersonName, isPlaceholder } from '#libs/expressions';
import type { VideoStep } from './recipe.schema';

/** A record's properties as read: null where the record has no value. */
export type Properties = Record<string, string | null>;

/** What a video needs of a record, no more. */
export const videoProperties = (step: VideoStep): string[] => [
  ...new Set([
    ...Object.keys(step.require),
    ...Object.values(step.variables).map((variable) => variable.property),
    ...[...step.title.matchAll(/\{([a-z0-9_]+)\}/g)].map((match) => match[1] ?? ''),
  ]),
];

/** A video ready to be ordered, or the reason why none should be. */
export type Prepared =
  | { variables: Record<string, string>; title: string }
  | { rejected: { code: 'missing' | 'placeholder'; reason: string } };

/** Fills a template's variables from a record, or rejects it where a required value is missing or a placeholder. */
export function prepareVideo(step: VideoStep, properties: Properties): Prepared {
  for (const [property, rule] of Object.entries(step.require)) {
    const value = properties[property];
    if (value === null || value === undefined || value.trim() === '') {
      return { rejected: { code: 'missing', reason: `${property} is missing` } };
    }
    if (rule === 'person-name' ? !isPersonName(value) : isPlaceholder(value)) {
      return { rejected: { code: 'placeholder', reason: `${property} is a placeholder` } };
    }
  }
  const variables: Record<string, string> = {};
  for (const [name, { property, otherwise }] of Object.entries(step.variables)) {
    const value = properties[property];
    const said = isPlaceholder(value) ? otherwise : value?.trim();
    if (said === undefined) return { rejected: { code: 'missing', reason: `${property} is missing` } };
    variables[name] = said;
  }
  const title = step.title.replace(/\{([a-z0-9_]+)\}/g, (_, property: string) => properties[property]?.trim() ?? '');
  return { variables, title };
}
