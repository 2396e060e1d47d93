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
  | { kind: 'upsert'; object: string; by: string; properties: Record<string, Text> };

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

/** Fills an action; throws {@link MissingValue}, and ExpressionError where a value cannot be told. */
export function actionOf(form: ActionForm, { fill, record, time }: Filling): Action {
  const said = (text: Text): string => plain(fill(text)).trim();
  const needed = (what: string, value: string | null | undefined): string => {
    if (!value) throw new MissingValue(what);
    return value;
  };
  switch (form.kind) {
    case 'task': {
      const { kind, title, body, owner, priority, dueMs } = form;
      const ownerId = owner && said(owner);
      return {
        kind,
        title: needed('the title of the task', said(title)),
        priority,
        dueAt: new Date(Date.parse(time) + dueMs).toISOString(),
        ...(body ? { body: plain(fill(body)) } : {}),
        ...(ownerId ? { ownerId } : {}),
      };
    }
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
    case 'upsert': {
      const properties = propertiesOf(form.properties, fill);
      // A key with blanks around it would be another record's.
      const key = needed(`${form.object}.${form.by}`, properties[form.by]?.trim());
      return { kind: form.kind, object: form.object, by: form.by, properties: { ...properties, [form.by]: key } };
    }
  }
}

/** What properties should say; a null leaves its property as it is. */
export const propertiesOf = (texts: Record<string, Text>, fill: Filling['fill']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts)
      .map(([name, text]) => [name, fill(text)] as const)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, plain(value)]),
  );
