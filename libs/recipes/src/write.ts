import type { Action } from '#libs/contracts';
import type { Expression, Given, Json } from '#libs/expressions';
import { type ActionForm, actionOf, MissingValue, propertiesOf } from './action';
import { type Rejection, rejectionOf, type StepBase, type StepBindings, unmetBy } from './step';
import { plain, type Text } from './text';

/** What is written to a record, ready to be filled. */
export interface WriteStep extends StepBase {
  kind: 'write';
  /** What the step did for a record it does not do again until this was so. */
  until?: Expression;
  properties: Record<string, Text>;
  /** The stage that the record moves to, and the property that holds it. */
  stage?: { text: Text; property: string };
  /** What is done beside that, once for each trigger. */
  actions: readonly ActionForm[];
  /** What must be read of the record first. */
  reads: string[];
  /** Whether the stages of the record's pipeline must be read too. */
  readsStages: boolean;
}

/** Where records that move through a pipeline say which and where they are, by their type. */
export const pipelined: Readonly<Record<string, { pipeline: string; stage: string }>> = {
  deal: { pipeline: 'pipeline', stage: 'dealstage' },
  ticket: { pipeline: 'hs_pipeline', stage: 'hs_pipeline_stage' },
};

/** What a write step reads; `time` is when what it follows happened (RFC 3339). */
export interface WriteBindings extends StepBindings {
  time: string;
  /** Ids of the stages of the record's pipeline, by their names; where the step reads them. */
  stages?: Readonly<Record<string, string>>;
}

/** A write ready to be made, or why none is: all that a step wants is known, or nothing of it is done. */
export type PreparedWrite = { properties: Record<string, string>; actions: Action[] } | { rejected: Rejection };

/** Fills a write step; a null leaves its property as it is. */
export function prepareWrite(step: WriteStep, read: WriteBindings, given?: Given): PreparedWrite {
  const bindings = { ...read, stages: read.stages ?? {} };
  const unmet = step.when && unmetBy(step.when, { ...bindings }, given);
  if (unmet) return { rejected: { ...unmet, ...endOf(step, unmet, bindings, given) } };
  const fill = (text: Text): Json => text.evaluate({ ...bindings }, given);
  try {
    const properties = { ...propertiesOf(step.properties, fill), ...(step.stage ? moved(step.stage) : {}) };
    const { record, time } = bindings;
    return { properties, actions: step.actions.map((form) => actionOf(form, { fill, record, time })) };
  } catch (error) {
    if (error instanceof MissingValue) return { rejected: { code: 'missing', reason: error.message } };
    if (error instanceof NoSuchStage) return { rejected: { code: 'no-such-stage', reason: error.message } };
    return { rejected: rejectionOf(error) };
  }

  function moved({ text, property }: NonNullable<WriteStep['stage']>): Record<string, string> {
    const wanted = text.evaluate({ ...bindings }, given);
    if (wanted === null) return {};
    const { stages } = bindings;
    const id = stages[plain(wanted)] ?? Object.values(stages).find((one) => one === plain(wanted));
    if (id === undefined) throw new NoSuchStage(plain(wanted), Object.keys(stages));
    return { [property]: id };
  }
}

function endOf({ until }: WriteStep, { code }: Rejection, bindings: object, given?: Given): Pick<Rejection, 'over'> {
  const isOver = until !== undefined && code === 'not-met' && unmetBy(until, { ...bindings }, given) === undefined;
  return isOver ? { over: true } : {};
}

class NoSuchStage extends Error {
  constructor(wanted: string, known: string[]) {
    super(`the record's pipeline has no stage ${JSON.stringify(wanted)}; it has ${known.join(', ') || 'none'}`);
  }
}
