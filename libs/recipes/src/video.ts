import { type Given, isPersonName, isPlaceholder, type Json } from '#libs/expressions';
import type { Replacement, VideoOptions } from '#libs/contracts';
import { type OptionsForm, optionsOf, type ReplacementForm, replacementOf, textsIn } from './replacement';
import { MOST_SPOKEN, spoken } from './spoken';
import { type Rejection, rejectionOf, type StepBase, type StepBindings, unmetBy } from './step';
import { plain, type Text } from './text';

/** A video for a record, ready to be filled. */
export interface VideoStep extends StepBase {
  kind: 'video';
  template: string;
  title: Text;
  require: Record<string, 'person-name' | 'present'>;
  /** What fills those variables of the template that are text. */
  variables: Record<string, Text>;
  /** What fills the others. */
  replacements: Record<string, ReplacementForm>;
  options: OptionsForm;
  /** What is done where a variable holds what does not belong into a video. */
  unclean: 'clean' | 'refuse';
  /** What must be read of the record, no more. */
  properties: string[];
}

/** All that HeyGen is told of a record. */
export const textsOfVideo = ({
  title,
  variables,
  replacements,
  options,
}: Pick<VideoStep, 'title' | 'variables' | 'replacements' | 'options'>): Text[] => [
  title,
  ...Object.values(variables),
  ...Object.values(replacements).flatMap(({ properties }) => Object.values(properties)),
  ...textsIn(options),
];

/** A video ready to be ordered, or the reason why none should be. */
export type Prepared =
  | {
      variables: Record<string, string>;
      /** Absent where the template is filled with text alone. */
      replacements?: Record<string, Replacement>;
      /** Absent where the recipe says nothing of how it is made. */
      options?: VideoOptions;
      title: string;
    }
  | { rejected: Rejection };

/** Fills a template's variables from a record, or rejects it where a required value is missing or a placeholder. */
export function prepareVideo(step: VideoStep, bindings: StepBindings, given?: Given): Prepared {
  const { record } = bindings;
  const unmet = step.when && unmetBy(step.when, { ...bindings }, given);
  if (unmet) return { rejected: unmet };
  for (const [property, rule] of Object.entries(step.require)) {
    const value = record[property];
    if (value === null || value === undefined || value.trim() === '') return missing(property);
    if (rule === 'person-name' ? !isPersonName(value) : isPlaceholder(value)) {
      return { rejected: { code: 'placeholder', reason: `${property} is a placeholder` } };
    }
  }
  const fill = (text: Text) => text.evaluate({ ...bindings }, given);
  try {
    const said = saidIn(step, fill);
    if ('rejected' in said) return said;
    const filled = filledIn(step, fill);
    if ('rejected' in filled) return filled;
    const made = optionsOf(step.options, fill);
    if ('rejected' in made) return made;
    const title = spoken(plain(fill(step.title)))
      .text.slice(0, MOST_TITLE)
      .trim();
    return { ...said, ...some(filled), ...some(made), title };
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
}

type Rejected = Extract<Prepared, { rejected: Rejection }>;
type Fill = (text: Text) => Json;

/** What fills the variables that are text. */
function saidIn(step: VideoStep, fill: Fill): { variables: Record<string, string> } | Rejected {
  const variables: Record<string, string> = {};
  for (const [name, text] of Object.entries(step.variables)) {
    const { text: said, removed } = spoken(plain(fill(text)));
    if (removed.length > 0 && step.unclean === 'refuse') return unclean(name, removed);
    if (isPlaceholder(said)) return missing(`variable ${name}`);
    if (said.length > MOST_SPOKEN) return tooLong(`variable ${name} has`, said.length);
    variables[name] = said;
  }
  const together = Object.values(variables).reduce((sum, { length }) => sum + length, 0);
  return together > MOST_SPOKEN ? tooLong('the variables have together', together) : { variables };
}

/** What fills the others. */
function filledIn(step: VideoStep, fill: Fill): { replacements: Record<string, Replacement> } | Rejected {
  const replacements: Record<string, Replacement> = {};
  for (const [name, form] of Object.entries(step.replacements)) {
    const filled = replacementOf(name, form, fill);
    if ('rejected' in filled) return filled;
    replacements[name] = filled;
  }
  return { replacements };
}

const MOST_TITLE = 200;

const unclean = (name: string, removed: readonly string[]): Rejected => ({
  rejected: { code: 'unclean', reason: `variable ${name} holds ${removed.join(', ')}` },
});

const tooLong = (what: string, length: number): Rejected => ({
  rejected: {
    code: 'too-long',
    reason: `${what} ${String(length)} characters, and a video says ${String(MOST_SPOKEN)} at most`,
  },
});

/** What holds nothing is left out: an order that says no more than before is the same order. */
const some = <Part extends Record<string, object>>(part: Part): Partial<Part> =>
  Object.values(part).some((one) => Object.keys(one).length > 0) ? part : {};

const missing = (what: string): Rejected => ({ rejected: { code: 'missing', reason: `${what} is missing` } });
