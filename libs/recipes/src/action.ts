import type { Action } from '#libs/contracts';
import type { Json } from '#libs/expressions';
import { plain, type Text } from './text';

/** What a write step does beside setting properties, ready to be filled; `dueMs` counts from what the step follows. */
export type ActionForm =
  | {
      kind: 'task';
      title: Text;
      body?: Text;
      priority: 'LOW' | 'MEDIUM' | 'HIGH';
      dueMs: number;
      owner?: Text;
    }
  | { kind: 'note'; text: Text }
  | { kind: 'list'; list: Text; change: 'add' | 'remove' }
  | {
      kind: 'consent';
      subscription: Text;
      status: 'subscribed' | 'unsubscribed';
      basis?: string;
      explanation?: Text;
    }
  | { kind: 'sequence'; sequence: Text; sender: Text; user: Text }
  | {
      kind: 'upsert';
      object: string;
      by: string;
      properties: Record<string, Text>;
      associate: { object: string; by: string; value: Text }[];
    }
  | { kind: 'event'; type: Text; properties: Record<string, Text> };

/** Where an action takes its values from; `time` is when what its step follows happened (RFC 3339). */
export interface Filling {
  fill: (text: Text) => Json;
  record: Readonly<Record<string, string | null>>;
  time: string;
}

/** Thrown where a value is empty without which the action means nothing. */
export class MissingValue extends Error {
  constructor(readonly what: string) {
    super(`${what} is missing`);
  }
}

type FormOf<Kind extends ActionForm['kind']> = Extract<ActionForm, { kind: Kind }>;

/** Fills an action; throws {@link MissingValue}, and ExpressionError where a value cannot be told. */
export function actionOf(form: ActionForm, filling: Filling): Action {
  const { fill, record, time } = filling;
  const said = (text: Text): string => plain(fill(text)).trim();
  switch (form.kind) {
    case 'task':
      return taskOf(form, filling);
    case 'note':
      return { kind: form.kind, text: needed('the text of the note', said(form.text)), at: time };
    case 'list':
      return { ...form, list: needed('the id of the list', said(form.list)) };
    case 'consent': {
      const { explanation, subscription, ...rest } = form;
      const why = explanation && said(explanation);
      return {
        ...rest,
        subscription: needed('the id of the subscription', said(subscription)),
        email: needed('email', record['email']?.trim()),
        ...(why ? { explanation: why } : {}),
      };
    }
    case 'sequence':
      return {
        kind: form.kind,
        sequence: needed('the id of the sequence', said(form.sequence)),
        sender: needed("the sender's address", said(form.sender)),
        user: needed("the user's id", said(form.user)),
      };
    case 'upsert':
      return upsertOf(form, filling);
    case 'event': {
      const properties = propertiesOf(form.properties, fill);
      return { kind: form.kind, type: needed('the type of the event', said(form.type)), properties, at: time };
    }
  }
}

function taskOf({ kind, title, body, owner, priority, dueMs }: FormOf<'task'>, { fill, time }: Filling): Action {
  const ownerId = owner && plain(fill(owner)).trim();
  return {
    kind,
    title: needed('the title of the task', plain(fill(title)).trim()),
    priority,
    dueAt: new Date(Date.parse(time) + dueMs).toISOString(),
    ...(body ? { body: plain(fill(body)) } : {}),
    ...(ownerId ? { ownerId } : {}),
  };
}

function upsertOf(
  { kind, object, by, properties: texts, associate: others }: FormOf<'upsert'>,
  { fill }: Filling,
): Action {
  const properties = propertiesOf(texts, fill);
  // A key with blanks around it would be another record's.
  const key = needed(`${object}.${by}`, properties[by]?.trim());
  const associate = others.map((other) => ({
    ...other,
    value: needed(`${other.object}.${other.by}`, plain(fill(other.value)).trim()),
  }));
  const tied = associate.length > 0 ? { associate } : {};
  return { kind, object, by, properties: { ...properties, [by]: key }, ...tied };
}

function needed(what: string, value: string | null | undefined): string {
  if (!value) throw new MissingValue(what);
  return value;
}

/** What properties should say; a null leaves its property as it is. */
export const propertiesOf = (texts: Record<string, Text>, fill: Filling['fill']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts)
      .map(([name, text]) => [name, fill(text)] as const)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, plain(value)]),
  );
