import { type Given, isPersonName, isPlaceholder } from '#libs/expressions';
import { MOST_SPOKEN, spoken } from './spoken';
import { type Rejection, rejectionOf, type StepBase, type StepBindings, unmetBy } from './step';
import { plain, type Text } from './text';

/** A video for a record, ready to be filled. */
export interface VideoStep extends StepBase {
  kind: 'video';
  template: string;
  title: Text;
  require: Record<string, 'person-name' | 'present'>;
  variables: Record<string, Text>;
  /** What is done where a variable holds what does not belong into a video. */
  unclean: 'clean' | 'refuse';
  /** What must be read of the record, no more. */
  properties: string[];
}

/** A video ready to be ordered, or the reason why none should be. */
export type Prepared = { variables: Record<string, string>; title: string } | { rejected: Rejection };

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
  const variables: Record<string, string> = {};
  try {
    for (const [name, text] of Object.entries(step.variables)) {
      const { text: said, removed } = spoken(plain(text.evaluate({ ...bindings }, given)));
      if (removed.length > 0 && step.unclean === 'refuse') return unclean(name, removed);
      if (isPlaceholder(said)) return missing(`variable ${name}`);
      if (said.length > MOST_SPOKEN) return tooLong(name, said.length);
      variables[name] = said;
    }
    const title = spoken(plain(step.title.evaluate({ ...bindings }, given))).text;
    return { variables, title: title.slice(0, MOST_TITLE).trim() };
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
}

const MOST_TITLE = 200;

const unclean = (name: string, removed: readonly string[]): Prepared => ({
  rejected: { code: 'unclean', reason: `variable ${name} holds ${removed.join(', ')}` },
});

const tooLong = (name: string, length: number): Prepared => ({
  rejected: {
    code: 'too-long',
    reason: `variable ${name} has ${String(length)} characters, and a video says ${String(MOST_SPOKEN)} at most`,
  },
});

const missing = (what: string): Prepared => ({ rejected: { code: 'missing', reason: `${what} is missing` } });
