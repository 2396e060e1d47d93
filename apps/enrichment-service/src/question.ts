import type { Looked } from '#libs/expressions';
import {
  askNamed,
  type AskStep,
  askText,
  type Note,
  type Properties,
  type Rejection,
  rejectionOf,
  type StepBindings,
  unmetBy,
} from '#libs/recipes';

/** Why nothing is asked. */
type Refused = Omit<Rejection, 'code'> & { code: Rejection['code'] | 'nothing-to-ask' };

/** What is asked of what was read, or why nothing is. */
export function questionOf(
  step: AskStep,
  bindings: StepBindings & { record: Properties },
  notes: Note[],
  looked: Looked,
): object | { rejected: Refused } {
  const rejected = unaskable(step, bindings, notes, looked);
  return rejected ? { rejected } : question(step, bindings, notes, looked);
}

function unaskable(
  step: AskStep,
  bindings: StepBindings & { record: Properties },
  notes: Note[],
  looked: Looked,
): Refused | undefined {
  const unmet = step.when && unmetBy(step.when, { ...bindings }, { looked });
  if (unmet) return unmet;
  const isEmpty = !step.properties.some((name) => bindings.record[name]) && notes.length === 0;
  return isEmpty && Object.keys(step.facts).length === 0
    ? { code: 'nothing-to-ask', reason: 'the record has neither notes nor any of the properties' }
    : undefined;
}

function question(
  step: AskStep,
  bindings: StepBindings,
  notes: Note[],
  looked: Looked,
): object | { rejected: Refused } {
  const { model, instruction, answer: schema, effort, supported, use } = step;
  // What two recipes ask by the same file is the same question, whatever they call it.
  const name = use === undefined ? step.name : askNamed(use).name;
  try {
    const text = askText(step, bindings, notes, { looked });
    // What a recipe does not say does not stand there: the same question stays the same.
    return {
      ...{ name, model, instruction, text, schema },
      ...(effort === undefined ? {} : { effort }),
      ...(supported.length > 0 ? { supported } : {}),
      ...(use === undefined ? {} : { ask: use }),
    };
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
}
