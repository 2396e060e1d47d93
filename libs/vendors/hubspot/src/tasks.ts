import type { RecordRef } from '#libs/contracts';
import { AssociationTypes, type Client } from '@hubspot/api-client';
import { AssociationSpecAssociationCategoryEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/AssociationSpec';

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

export interface CreatedTask {
  taskId: string;
}

/** What a look at a record's tasks has found; nothing follows from one that did not see them all. */
export interface Look {
  taskId?: string;
  complete: boolean;
}

const TASK = '0-27';
const IDS_A_PAGE = 500;
const TASKS_A_BATCH = 100;

const taskTo: Record<string, number> = {
  contact: AssociationTypes.taskToContact,
  company: AssociationTypes.taskToCompany,
  deal: AssociationTypes.taskToDeal,
  ticket: AssociationTypes.taskToTicket,
};

/** Whether it is known how tasks are tied to records of a type; for custom objects each portal has an id of its own. */
export const mayHaveTasks = ({ type }: RecordRef): boolean => taskTo[type] !== undefined;

/** Makes a task with its reference in the last line of its text. */
export async function makeTask(client: Client, { record, task }: TaskRequest, reference: string): Promise<CreatedTask> {
  const { title, body, priority, dueAt, ownerId } = task;
  const made = await client.crm.objects.tasks.basicApi.create({
    properties: {
      hs_task_subject: title,
      hs_task_body: [...(body ? [html(body)] : []), `Ref. ${reference}`].join('<br><br>'),
      hs_task_status: 'NOT_STARTED',
      hs_task_type: 'TODO',
      hs_timestamp: new Date(dueAt).toISOString(),
      ...(priority === undefined ? {} : { hs_task_priority: priority }),
      ...(ownerId === undefined ? {} : { hubspot_owner_id: ownerId }),
    },
    associations: [
      {
        to: { id: record.id },
        types: [
          {
            associationCategory: AssociationSpecAssociationCategoryEnum.HubspotDefined,
            associationTypeId: taskTo[record.type] ?? 0,
          },
        ],
      },
    ],
  });
  return { taskId: made.id };
}

/** Looks for a reference among the tasks of a record, by association: search would not know yet what was just made. */
export async function findTask(client: Client, typeId: string, id: string, reference: string): Promise<Look> {
  let after: string | undefined;
  do {
    const page = await client.crm.associations.v4.basicApi.getPage(typeId, id, TASK, after, IDS_A_PAGE);
    const ids = page.results.map((task) => task.toObjectId);
    for (let start = 0; start < ids.length; start += TASKS_A_BATCH) {
      const look = await lookAt(client, ids.slice(start, start + TASKS_A_BATCH), reference);
      if (look.taskId !== undefined || !look.complete) return look;
    }
    after = page.paging?.next?.after;
  } while (after !== undefined);
  return { complete: true };
}

// A batch may be answered in part, which is no error to the SDK; a task that is gone meanwhile is none of ours.
async function lookAt(client: Client, ids: string[], reference: string): Promise<Look> {
  const answer = await client.crm.objects.tasks.batchApi.read({
    inputs: ids.map((id) => ({ id })),
    properties: ['hs_task_body'],
    propertiesWithHistory: [],
  });
  const found = answer.results.find((task) => task.properties['hs_task_body']?.includes(reference));
  const errors = 'errors' in answer ? (answer.errors ?? []) : [];
  return { taskId: found?.id, complete: errors.every(({ category }) => category === 'OBJECT_NOT_FOUND') };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\n': '<br>' };
const html = (text: string): string => text.replace(/[&<>\n]/g, (character) => entities[character] ?? character);
