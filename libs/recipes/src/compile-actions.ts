import { objectTypeOf } from '#libs/contracts';
import type { ActionForm } from './action';
import type { ActionsFile } from './recipe.schema';
import type { Text } from './text';

type Path = PropertyKey[];

/** What making actions ready needs of the recipe that they stand in. */
export interface ActionContext {
  /** Type of the records that the recipe is about. */
  object: string;
  text(path: Path, value: string | number | boolean): Text;
  fault(path: Path, message: string): void;
}

/** Makes the actions of a write step ready, in an order that is always the same. */
export function actionForms(file: ActionsFile, context: ActionContext): ActionForm[] {
  const { task, note, lists, consent, sequence, upsert } = file;
  const { object, text, fault } = context;
  const forms: ActionForm[] = [];
  if (task) {
    const { title, body, owner, priority, due: dueMs } = task;
    forms.push({
      kind: 'task',
      title: text(['task', 'title'], title),
      ...(body === undefined ? {} : { body: text(['task', 'body'], body) }),
      ...(owner === undefined ? {} : { owner: text(['task', 'owner'], owner) }),
      priority,
      dueMs,
    });
  }
  if (note !== undefined) forms.push({ kind: 'note', text: text(['note'], note) });
  for (const change of ['add', 'remove'] as const) {
    for (const [i, id] of (lists?.[change] ?? []).entries())
      forms.push({ kind: 'list', list: text(['lists', change, i], id), change });
  }
  if (consent) {
    const { subscription, status, basis, explanation } = consent;
    if (object !== 'contact') fault(['consent'], `only contacts take e-mail, and the recipe is about a ${object}`);
    forms.push({
      kind: 'consent',
      subscription: text(['consent', 'subscription'], subscription),
      status,
      ...(basis === undefined ? {} : { basis }),
      ...(explanation === undefined ? {} : { explanation: text(['consent', 'explanation'], explanation) }),
    });
  }
  if (sequence) {
    if (object !== 'contact') fault(['sequence'], `only contacts are enrolled, and the recipe is about a ${object}`);
    forms.push({
      kind: 'sequence',
      sequence: text(['sequence', 'id'], sequence.id),
      sender: text(['sequence', 'sender'], sequence.sender),
      user: text(['sequence', 'user'], sequence.user),
    });
  }
  if (upsert) forms.push(upsertForm(upsert, context));
  return forms;
}

function upsertForm({ object: named, by, properties }: NonNullable<ActionsFile['upsert']>, context: ActionContext) {
  const object = objectTypeOf(named);
  const unfit = notUnique[`${object}.${by}`] ?? notUnique[by];
  if (unfit !== undefined) context.fault(['upsert', 'by'], unfit);
  const texts = Object.entries(properties).map(
    ([name, value]) => [name, context.text(['upsert', 'properties', name], value)] as const,
  );
  return { kind: 'upsert', object, by, properties: Object.fromEntries(texts) } as const;
}

const notUnique: Record<string, string> = {
  'company.domain':
    'HubSpot keeps no two companies from having one domain, so none is found by it: make a property of unique values and go by that',
  hs_object_id: 'HubSpot finds no record by hs_object_id here: make a property of unique values and go by that',
};

/** What actions read, and what they need of the record themselves. */
export const textsOf = (forms: readonly ActionForm[]): Text[] =>
  forms.flatMap((form) =>
    Object.values({ ...form, ...(form.kind === 'upsert' ? form.properties : {}) }).filter(
      (value): value is Text => typeof value === 'object' && 'evaluate' in value,
    ),
  );

/** The record's properties that actions need beside those in their texts. */
export const propertiesNeeded = (forms: readonly ActionForm[]): string[] =>
  forms.some(({ kind }) => kind === 'consent') ? ['email'] : [];
