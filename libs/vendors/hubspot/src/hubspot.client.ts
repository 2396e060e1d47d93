import type { Answer, RecordRef } from '#libs/contracts';
import { Client } from '@hubspot/api-client';
import { deadlineAgent, withDeadline } from './deadline-agent';
import { sortedHubspotError } from './errors';
import { type CreatedTask, findTask, makeTask, mayHaveTasks, type TaskRequest } from './tasks';

/** Where HubSpot is and who we are there. */
export interface HubspotSettings {
  baseUrl?: string;
  accessToken: string;
}

/** A record as read: values are strings, null where a property has no value. `modifiedAt` is RFC 3339. */
export interface ReadRecord {
  properties: Record<string, string | null>;
  modifiedAt: string;
  notes: { at: string; text: string }[];
}

/** What to read of a record: only the named properties, and up to `notes` of its notes, newest first. */
export interface ReadRequest {
  record: RecordRef;
  properties: string[];
  notes: number;
}

/** What to write to a record. */
export interface UpdateRequest {
  record: RecordRef;
  properties: Record<string, string>;
}

const typeIds: Record<string, string> = { contact: '0-1', company: '0-2', deal: '0-3', ticket: '0-5' };
const typeIdOf = (type: string): string => typeIds[type] ?? type;

const NOTE = '0-46';
const NOTES_A_BATCH = 100;
const DEFAULT_BASE_URL = 'https://api.hubapi.com';

/** HubSpot's CRM through the official SDK, without its retries and limiter. Never throws: every answer is sorted. */
export class HubspotClient {
  private readonly client: Client;

  constructor(settings: HubspotSettings) {
    const basePath = settings.baseUrl ?? DEFAULT_BASE_URL;
    this.client = new Client({
      accessToken: settings.accessToken,
      basePath,
      httpAgent: deadlineAgent(basePath),
      numberOfApiCallRetries: 0,
    });
  }

  /** Reads a record by its id (never by search, whose index lags), and its notes. */
  read(request: ReadRequest, signal: AbortSignal): Promise<Answer<ReadRecord>> {
    return sorted(signal, async () => {
      const { record, properties, notes } = request;
      const found = await this.client.crm.objects.basicApi.getById(
        typeIdOf(record.type),
        record.id,
        properties,
        undefined,
        notes > 0 ? ['notes'] : undefined,
      );
      const noteIds = (found.associations?.['notes']?.results ?? []).map((note) => note.id);
      return {
        properties: found.properties,
        modifiedAt: found.updatedAt.toISOString(),
        notes: await this.notes([...new Set(noteIds)], notes),
      };
    });
  }

  /** Writes properties of a record. Writing the same again changes nothing, so an unknown write may be repeated. */
  update(request: UpdateRequest, signal: AbortSignal): Promise<Answer<{ modifiedAt: string }>> {
    return sorted(signal, async () => {
      const { record, properties } = request;
      const updated = await this.client.crm.objects.basicApi.update(typeIdOf(record.type), record.id, { properties });
      return { modifiedAt: updated.updatedAt.toISOString() };
    });
  }

  /**
   * Makes a task at a record. HubSpot knows no idempotency key for it: `reference` stands in the task's text, and a
   * repeat looks for it among the record's tasks first. Where the look fails, nothing is made, and the outcome of the
   * earlier calls stays unknown.
   */
  async createTask(
    request: TaskRequest,
    { reference, isRepeat }: { reference: string; isRepeat: boolean },
    signal: AbortSignal,
  ): Promise<Answer<CreatedTask>> {
    const { record } = request;
    if (!mayHaveTasks(record))
      return { outcome: 'stop', code: 'no-tasks-at-type', message: `tasks at ${record.type} records are not known` };
    if (isRepeat) {
      const look = await sorted(signal, () => findTask(this.client, typeIdOf(record.type), record.id, reference));
      if (look.outcome === 'stop') return { ...look, outcome: 'unknown' };
      if (look.outcome !== 'done') return look;
      const { taskId, complete } = look.value;
      if (taskId !== undefined) return { outcome: 'done', value: { taskId } };
      if (!complete) return { outcome: 'unknown', code: 'look-incomplete', message: 'not all tasks were shown' };
    }
    return sorted(signal, () => makeTask(this.client, request, reference));
  }

  private async notes(ids: string[], limit: number): Promise<ReadRecord['notes']> {
    const read: ReadRecord['notes'] = [];
    for (let start = 0; start < ids.length; start += NOTES_A_BATCH) {
      const { results } = await this.client.crm.objects.batchApi.read(NOTE, {
        inputs: ids.slice(start, start + NOTES_A_BATCH).map((id) => ({ id })),
        properties: ['hs_note_body', 'hs_timestamp'],
        propertiesWithHistory: [],
      });
      for (const note of results) {
        const text = note.properties['hs_note_body'];
        if (text) read.push({ at: note.properties['hs_timestamp'] ?? note.createdAt.toISOString(), text });
      }
    }
    return read.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, limit);
  }
}

async function sorted<T>(signal: AbortSignal, call: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { outcome: 'done', value: await withDeadline(signal, call) };
  } catch (error) {
    return sortedHubspotError(error);
  }
}
