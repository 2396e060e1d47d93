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
  const { task, note, lists, consent, sequence, upsert, event } = file;
  const { text } = context;
  return [
    ...(task ? [taskForm(task, context)] : []),
    ...(note === undefined ? [] : [{ kind: 'note', text: text(['note'], note) } as const]),
    ...(lists ? listForms(lists, context) : []),
    ...(consent ? [consentForm(consent, context)] : []),
    ...(sequence ? [sequenceForm(sequence, context)] : []),
    ...(upsert ? [upsertForm(upsert, context)] : []),
    ...(event ? [eventForm(event, context)] : []),
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

function upsertForm(
  { object: named, by, properties, associate }: FileOf<'upsert'>,
  context: ActionContext,
): ActionForm {
  const object = objectTypeOf(named);
  const unique = (path: Path, type: string, property: string) => {
    const unfit = notUnique[`${type}.${property}`] ?? notUnique[property];
    if (unfit !== undefined) context.fault(path, unfit);
  };
  unique(['upsert', 'by'], object, by);
  const others = associate.map((other, i) => {
    const path = ['upsert', 'associate', i];
    const type = objectTypeOf(other.object);
    unique([...path, 'by'], type, other.by);
    return { object: type, by: other.by, value: context.text([...path, 'value'], other.value) };
  });
  const texts = Object.entries(properties).map(
    ([name, value]) => [name, context.text(['upsert', 'properties', name], value)] as const,
  );
  return { kind: 'upsert', object, by, properties: Object.fromEntries(texts), associate: others };
}

function eventForm({ type, properties }: FileOf<'event'>, { object, text, fault }: ActionContext): ActionForm {
  if (!timelined.has(object)) fault(['event'], `${object} records have no timeline that apps may write to`);
  const texts = Object.entries(properties).map(
    ([name, value]) => [name, text(['event', 'properties', name], value)] as const,
  );
  return { kind: 'event', type: text(['event', 'type'], type), properties: Object.fromEntries(texts) };
}

const timelined = new Set(['contact', 'company', 'deal', 'ticket']);

const notUnique: Record<string, string> = {
  'company.domain':
    'HubSpot keeps no two companies from having one domain, so none is found by it: make a property of unique values and go by that',
  hs_object_id: 'HubSpot finds no record by hs_object_id here: make a property of unique values and go by that',
};

/** What actions read, and what they need of the record themselves. */
export const textsOf = (forms: readonly ActionForm[]): Text[] => forms.flatMap((form) => textsWithin(form));

const textsWithin = (value: unknown): Text[] =>
  typeof value !== 'object' || value === null
    ? []
    : 'evaluate' in value
      ? [value as Text]
      : Object.values(value).flatMap(textsWithin);

/** The record's properties that actions need beside those in their texts. */
export const propertiesNeeded = (forms: readonly ActionForm[]): string[] =>
  forms.some(({ kind }) => kind === 'consent') ? ['email'] : [];
