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
  const { text } = context;
  return [
    ...(task ? [taskForm(task, context)] : []),
    ...(note === undefined ? [] : [{ kind: 'note', text: text(['note'], note) } as const]),
    ...(lists ? listForms(lists, context) : []),
    ...(consent ? [consentForm(consent, context)] : []),
    ...(sequence ? [sequenceForm(sequence, context)] : []),
    ...(upsert ? [upsertForm(upsert, context)] : []),
  ];
}

type FileOf<Kind extends keyof ActionsFile> = NonNullable<ActionsFile[Kind]>;

const taskForm = ({ title, body, owner, priority, due }: FileOf<'task'>, { text }: ActionContext): ActionForm => ({
  kind: 'task',
  title: text(['task', 'title'], title),
  ...(body === undefined ? {} : { body: text(['task', 'body'], body) }),
  ...(owner === undefined ? {} : { owner: text(['task', 'owner'], owner) }),
  priority,
  dueMs: due,
});

const listForms = (lists: FileOf<'lists'>, { text }: ActionContext): ActionForm[] =>
  (['add', 'remove'] as const).flatMap((change) =>
    lists[change].map((id, i): ActionForm => ({ kind: 'list', list: text(['lists', change, i], id), change })),
  );

function consentForm(consent: FileOf<'consent'>, { object, text, fault }: ActionContext): ActionForm {
  const { subscription, status, basis, explanation } = consent;
  if (object !== 'contact') fault(['consent'], `only contacts take e-mail, and the recipe is about a ${object}`);
  return {
    kind: 'consent',
    subscription: text(['consent', 'subscription'], subscription),
    status,
    ...(basis === undefined ? {} : { basis }),
    ...(explanation === undefined ? {} : { explanation: text(['consent', 'explanation'], explanation) }),
  };
}

function sequenceForm({ id, sender, user }: FileOf<'sequence'>, { object, text, fault }: ActionContext): ActionForm {
  if (object !== 'contact') fault(['sequence'], `only contacts are enrolled, and the recipe is about a ${object}`);
  return {
    kind: 'sequence',
    sequence: text(['sequence', 'id'], id),
    sender: text(['sequence', 'sender'], sender),
    user: text(['sequence', 'user'], user),
  };
}

function upsertForm({ object: named, by, properties }: FileOf<'upsert'>, context: ActionContext): ActionForm {
  const object = objectTypeOf(named);
  const unfit = notUnique[`${object}.${by}`] ?? notUnique[by];
  if (unfit !== undefined) context.fault(['upsert', 'by'], unfit);
  const texts = Object.entries(properties).map(
    ([name, value]) => [name, context.text(['upsert', 'properties', name], value)] as const,
  );
  return { kind: 'upsert', object, by, properties: Object.fromEntries(texts) };
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
