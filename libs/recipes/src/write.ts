import type { Given, Json } from '#libs/expressions';
import { type Rejection, rejectionOf, type StepBase, type StepBindings, unmetBy } from './step';
import { plain, type Text } from './text';

/** What is written to a record, ready to be filled. */
export interface WriteStep extends StepBase {
  kind: 'write';
  properties: Record<string, Text>;
  task?: TaskForm;
  /** What must be read of the record first. */
  reads: string[];
}

/** A task, ready to be filled; `dueMs` counts from what the step follows. */
export interface TaskForm {
  title: Text;
  body?: Text;
  priority: 'LOW' | 'MEDIUM' | 'HIGH';
  dueMs: number;
  owner?: Text;
}

/** What a write step reads; `time` is when what it follows happened (RFC 3339). */
export interface WriteBindings extends StepBindings {
  time: string;
}

/** A write ready to be made, or why none is. `dueAt` is RFC 3339. */
export type PreparedWrite =
  | {
      properties: Record<string, string>;
      task?: { title: string; body?: string; priority: TaskForm['priority']; dueAt: string; ownerId?: string };
    }
  | { rejected: Rejection };

/** Fills a write step; a null leaves its property as it is. */
export function prepareWrite(step: WriteStep, bindings: WriteBindings, given?: Given): PreparedWrite {
  const unmet = step.when && unmetBy(step.when, { ...bindings }, given);
  if (unmet) return { rejected: unmet };
  const fill = (text: Text): Json => text.evaluate({ ...bindings }, given);
  try {
    const values = Object.entries(step.properties).map(([name, text]) => [name, fill(text)] as const);
    const said = values.filter(([, value]) => value !== null).map(([name, value]) => [name, plain(value)] as const);
    const properties = Object.fromEntries(said);
    return step.task ? { properties, task: taskOf(step.task, fill, bindings.time) } : { properties };
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
}

function taskOf({ title, body, owner, priority, dueMs }: TaskForm, fill: (text: Text) => Json, time: string) {
  const ownerId = owner && plain(fill(owner)).trim();
  return {
    title: plain(fill(title)).trim(),
    priority,
    dueAt: new Date(Date.parse(time) + dueMs).toISOString(),
    ...(body ? { body: plain(fill(body)) } : {}),
    ...(ownerId ? { ownerId } : {}),
  };
}
