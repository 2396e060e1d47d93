import type { CrmEvent, RecordRef, TaskWish } from '#libs/contracts';
import { type Decision, nothing, type Owed } from '#libs/process';

interface Task {
  recipe: string;
  step: string;
  rootCause: string;
  /** In the CRM: one, and one more for each redo. */
  ids: readonly string[];
  rejected: boolean;
}

/** The tasks of one record, by purpose and root cause. */
export type Tasks = Readonly<Record<string, Task>>;

export interface TaskEnded {
  type: 'task-ended';
  purpose: string;
  rootCause: string;
  ended: TaskEnd;
}

/** A trigger's task. */
export interface WantedTask {
  rootCause: string;
  task: TaskWish;
}

/** How a call ended. `held`: a person decides; `late`: no end, but a call that had been given up was answered. */
export type TaskEnd =
  { state: 'done'; taskId: string } | { state: 'dead'; code: string } | { state: 'held' | 'late' | 'erased' };

export type TaskEvent = Extract<CrmEvent, { type: `Task${string}` }>;

export const isOfTask = (event: CrmEvent): event is TaskEvent => event.type.startsWith('Task');

export const CREATE_TASK = 'hubspot.create-task';

/** What the call is for: with the root cause it makes a slot for each step of each trigger. */
export const purposeOfTask = ({ recipe, step }: { recipe: string; step: string }): string => `task/${recipe}/${step}`;

const keyOf = (purpose: string, rootCause: string): string => `${purpose} ${rootCause}`;

export function evolveTasks(tasks: Tasks, { type, data }: TaskEvent): Tasks {
  const { recipe, step, rootCause } = data;
  const key = keyOf(purposeOfTask(data), rootCause);
  const task = tasks[key] ?? { recipe, step, rootCause, ids: [], rejected: false };
  switch (type) {
    case 'TaskWanted':
      return { ...tasks, [key]: task };
    case 'TaskCreated':
      return { ...tasks, [key]: { ...task, ids: [...task.ids, data.taskId] } };
    case 'TaskRejected':
      return { ...tasks, [key]: { ...task, rejected: true } };
  }
}

/**
 * A trigger's task is stated once. Wanted again (a redelivery, a replay after a fix), only the same call is stated once
 * more, and the ledger says whether it is done, changed or owed again (protocol 22).
 */
export function onTaskWanted(tasks: Tasks, { rootCause, task }: WantedTask, record: RecordRef): Decision<CrmEvent> {
  const known = keyOf(purposeOfTask(task), rootCause) in tasks;
  const events: CrmEvent[] = known ? [] : [{ type: 'TaskWanted', data: { ...task, rootCause } }];
  return { events, effects: [creation(record, task)] };
}

// The recipe's version is not sent: with the same text it is the same task. No order key: tasks do not wait for writes.
const creation = (record: RecordRef, { recipe, step, recipeVersion: _, ...task }: TaskWish): Owed => ({
  kind: CREATE_TASK,
  purpose: purposeOfTask({ recipe, step }),
  request: { record, task },
});

/** A task that exists is a fact, also after it was given up; held, it stays open and visible in the ledger. */
export function onTaskEnded(tasks: Tasks, input: TaskEnded): Decision<CrmEvent> {
  const { ended, purpose, rootCause } = input;
  const task = tasks[keyOf(purpose, rootCause)];
  if (!task) return nothing();
  switch (ended.state) {
    case 'done':
      return task.ids.includes(ended.taskId)
        ? nothing()
        : { events: [{ type: 'TaskCreated', data: { ...nameOf(task), taskId: ended.taskId } }] };
    case 'dead':
      return reject(task, ended.code, 'HubSpot did not take the task');
    case 'erased':
      return reject(task, 'erased', 'its subject was erased');
    case 'held':
    case 'late':
      return nothing();
  }
}

const reject = (task: Task, code: string, reason: string): Decision<CrmEvent> =>
  task.rejected || task.ids.length > 0
    ? nothing()
    : { events: [{ type: 'TaskRejected', data: { ...nameOf(task), code, reason } }] };

const nameOf = ({ recipe, step, rootCause }: Task) => ({ recipe, step, rootCause });
