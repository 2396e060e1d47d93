import type { Answer, RecordRef } from '#libs/contracts';
import { AssociationTypes, type Client } from '@hubspot/api-client';
import { AssociationSpecAssociationCategoryEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/AssociationSpec';
import { type Look, type Made, onceOnly, sorted, typeIdOf } from './answering';

/** A task to make at a record: plain texts, RFC 3339, an owner's id (not a user's). */
export interface TaskRequest {
  record: RecordRef;
  task: {
    title: string;
    body?: string;
    priority?: 'LOW' | 'MEDIUM' | 'HIGH';
    dueAt: string;
    ownerId?: string;
  };
}

/** A note to make at a record: plain text, and its date (RFC 3339). */
export interface NoteRequest {
  record: RecordRef;
  note: { text: string; at: string };
}

/** How a call is told apart from others of its kind, and whether an earlier one of it may have been obeyed. */
export interface Once {
  reference: string;
  isRepeat: boolean;
}

/** A kind of activity: its type by name and id, the property that holds its text, and how it is tied to records. */
interface Activity {
  /** As in paths. */
  plural: string;
  typeId: string;
  text: string;
  to: Readonly<Record<string, number>>;
}

const TASK: Activity = {
  plural: 'tasks',
  typeId: '0-27',
  text: 'hs_task_body',
  to: {
    contact: AssociationTypes.taskToContact,
    company: AssociationTypes.taskToCompany,
    deal: AssociationTypes.taskToDeal,
    ticket: AssociationTypes.taskToTicket,
  },
};

const NOTE: Activity = {
  plural: 'notes',
  typeId: '0-46',
  text: 'hs_note_body',
  to: {
    contact: AssociationTypes.noteToContact,
    company: AssociationTypes.noteToCompany,
    deal: AssociationTypes.noteToDeal,
    ticket: AssociationTypes.noteToTicket,
  },
};

const IDS_A_PAGE = 500;
const ACTIVITIES_A_BATCH = 100;

/** Makes a task with its reference in the last line of its text; see {@link makeOnce}. */
export function makeTask(client: Client, { record, task }: TaskRequest, once: Once, signal: AbortSignal) {
  const { title, body, priority, dueAt, ownerId } = task;
  const properties = {
    hs_task_subject: title,
    hs_task_status: 'NOT_STARTED',
    hs_task_type: 'TODO',
    hs_timestamp: new Date(dueAt).toISOString(),
    ...(priority === undefined ? {} : { hs_task_priority: priority }),
    ...(ownerId === undefined ? {} : { hubspot_owner_id: ownerId }),
  };
  return makeOnce(client, TASK, { record, properties, text: body }, once, signal);
}

/** Makes a note with its reference in the last line of its text; see {@link makeOnce}. */
export const makeNote = (client: Client, { record, note }: NoteRequest, once: Once, signal: AbortSignal) =>
  makeOnce(
    client,
    NOTE,
    { record, properties: { hs_timestamp: new Date(note.at).toISOString() }, text: note.text },
    once,
    signal,
  );

/** Looks for the note of a reference among a record's notes; where there can be none, none is there. */
export const noteOf = (client: Client, record: RecordRef, reference: string): Promise<Look> =>
  NOTE.to[record.type] === undefined ? Promise.resolve({ complete: true }) : find(client, NOTE, record, reference);

interface Wanted {
  record: RecordRef;
  properties: Record<string, string>;
  text?: string;
}

/**
 * Makes an activity at a record. HubSpot knows no idempotency key for it: the reference stands in its text, and a repeat
 * looks for it among the record's activities first.
 */
async function makeOnce(
  client: Client,
  activity: Activity,
  { record, properties, text }: Wanted,
  { reference, isRepeat }: Once,
  signal: AbortSignal,
): Promise<Answer<Made>> {
  const associationTypeId = activity.to[record.type];
  if (associationTypeId === undefined) {
    const [code, what] = [`no-${activity.plural}-at-type`, `${activity.plural} at ${record.type} records`];
    return { outcome: 'stop', code, message: `${what} are not known` };
  }
  const make = async (): Promise<Made> => {
    const made = await client.crm.objects.basicApi.create(activity.plural, {
      properties: { ...properties, [activity.text]: withReference(text, reference) },
      associations: [
        {
          to: { id: record.id },
          types: [{ associationCategory: AssociationSpecAssociationCategoryEnum.HubspotDefined, associationTypeId }],
        },
      ],
    });
    return { id: made.id };
  };
  return onceOnly(
    isRepeat,
    () => sorted(signal, () => find(client, activity, record, reference)),
    () => sorted(signal, make),
  );
}

const withReference = (text: string | undefined, reference: string): string =>
  [...(text ? [html(text)] : []), `Ref. ${reference}`].join('<br><br>');

/** Looks for a reference among the activities of a record, by association: search would not know yet what was just made. */
async function find(client: Client, activity: Activity, record: RecordRef, reference: string): Promise<Look> {
  let after: string | undefined;
  do {
    const { basicApi } = client.crm.associations.v4;
    const page = await basicApi.getPage(typeIdOf(record.type), record.id, activity.typeId, after, IDS_A_PAGE);
    const ids = page.results.map((found) => found.toObjectId);
    for (let start = 0; start < ids.length; start += ACTIVITIES_A_BATCH) {
      const look = await lookAt(client, activity, ids.slice(start, start + ACTIVITIES_A_BATCH), reference);
      if (look.made !== undefined || !look.complete) return look;
    }
    after = page.paging?.next?.after;
  } while (after !== undefined);
  return { complete: true };
}

// A batch may be answered in part, which is no error to the SDK; an activity that is gone meanwhile is none of ours.
async function lookAt(client: Client, { plural, text }: Activity, ids: string[], reference: string): Promise<Look> {
  const answer = await client.crm.objects.batchApi.read(plural, {
    inputs: ids.map((id) => ({ id })),
    properties: [text],
    propertiesWithHistory: [],
  });
  const found = answer.results.find(({ properties }) => properties[text]?.includes(reference));
  const errors = 'errors' in answer ? (answer.errors ?? []) : [];
  return {
    ...(found ? { made: { id: found.id } } : {}),
    complete: errors.every(({ category }) => category === 'OBJECT_NOT_FOUND'),
  };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\n': '<br>' };
const html = (text: string): string => text.replace(/[&<>\n]/g, (character) => entities[character] ?? character);
