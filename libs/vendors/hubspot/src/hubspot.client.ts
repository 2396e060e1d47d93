import { type Answer, ONE_OF_SEVERAL, type RecordRef, type TimelineForm } from '#libs/contracts';
import { type AccountInfo, accountInfo } from './account-info';
import { makeNote, makeTask, type NoteRequest, type Once, type TaskRequest } from './activities';
import { type Made, sorted, typeIdOf } from './answering';
import {
  type AppSubscription,
  type AppWebhooks,
  appWebhooks,
  type NewSubscription,
  setWebhookTarget,
  subscribe,
  switchSubscription,
  type WebhooksApp,
  type WebhookTarget,
} from './app-webhooks';
import { type ChangedRecord, type ChangedRequest, readChanged } from './changed';
import { type ConsentRequest, setConsent } from './consent';
import { type Updated, type UpdateRequest, updateTogether } from './batch';
import type { EventRequest } from './events';
import {
  type CountRequest,
  countRecords,
  listPage,
  type ListPageRequest,
  type RecordPage,
  searchPage,
  type SearchPageRequest,
} from './listing';
import { type ContextRequest, readContext, type Said, tiedFor } from './context';
import { changeList, type ListRequest } from './lists';
import { owners, pipelines, properties, schemas } from './portal';
import { type Lacking, prepare, type Preparation, preparation, type Wishes } from './properties';
import { Sdk, type SdkSettings } from './sdk';
import { enrol, type SequenceRequest } from './sequences';
import { shape } from './shape';
import { PortalStages } from './stages';
import { tellTimeline, type TimelineOnce } from './timeline';
import { upsert, type UpsertRequest } from './upsert';

/** A record as read: values are strings, null where a property has no value. `modifiedAt` is RFC 3339. */
export interface ReadRecord {
  properties: Record<string, string | null>;
  modifiedAt: string;
  notes: Said[];
  /** What else is tied to it, by kind; where it was asked for. */
  context?: Record<string, Said[]>;
  /** Ids of the stages of the record's pipeline, by their names; where they were asked for. */
  stages?: Record<string, string>;
}

/** What to read of a record: only the named properties, and up to `notes` of its notes, newest first; the same of others. */
export interface ReadRequest {
  record: RecordRef;
  properties: string[];
  notes: number;
  context?: ContextRequest;
  /** Whether the stages of its pipeline are read too. */
  stages?: boolean;
}

export type { Updated, UpdateRequest };

const NO_CONTEXT: ContextRequest = { most: {}, transcript: [] };

/** An account's CRM through the official SDK. Never throws: every answer is sorted. */
export class HubspotClient {
  private readonly client: Sdk;
  private readonly stages: PortalStages;

  constructor(settings: SdkSettings) {
    this.client = new Sdk(settings);
    this.stages = new PortalStages(this.client);
  }

  /** Reads a record by its id (never by search, whose index lags), and what is tied to it. */
  read(request: ReadRequest, signal: AbortSignal): Promise<Answer<ReadRecord>> {
    return sorted(signal, async () => {
      const { record, properties, notes, context, stages = false } = request;
      const tied = tiedFor(notes, context ?? NO_CONTEXT);
      const found = await this.client.crm.objects.basicApi.getById(
        typeIdOf(record.type),
        record.id,
        properties,
        undefined,
        tied.length > 0 ? tied : undefined,
      );
      const ids = (name: string) => (found.associations?.[name]?.results ?? []).map(({ id }) => id);
      const around = await readContext(this.client, ids, notes, context ?? NO_CONTEXT);
      return {
        properties: found.properties,
        modifiedAt: found.updatedAt.toISOString(),
        notes: around.notes,
        ...(context ? { context: around.context } : {}),
        ...(stages ? { stages: await this.stages.of(record.type, found.properties) } : {}),
      };
    });
  }

  /**
   * Writes properties of a record. Writing the same again changes nothing, so an unknown write may be repeated. HubSpot
   * takes all of them or none: where it refuses what several say, the code is {@link ONE_OF_SEVERAL}.
   */
  update({ record, properties }: UpdateRequest, signal: AbortSignal): Promise<Answer<Updated>> {
    const call = async () => {
      const updated = await this.client.crm.objects.basicApi.update(typeIdOf(record.type), record.id, { properties });
      return { modifiedAt: updated.updatedAt.toISOString() };
    };
    const isOne = Object.keys(properties).length === 1;
    return sorted(signal, call, isOne ? {} : { codes: [{ status: 400, code: ONE_OF_SEVERAL }] });
  }

  /** The same for several records of one type in one call, at most {@link MOST_IN_BATCH}; each is answered for itself. */
  updateTogether(requests: readonly UpdateRequest[], signal: AbortSignal): Promise<Answer<Updated>[]> {
    return updateTogether(this.client, requests, signal);
  }

  /** Makes a task at a record; a repeat makes none where it finds what an earlier call made. */
  createTask(request: TaskRequest, once: Once, signal: AbortSignal): Promise<Answer<Made>> {
    return makeTask(this.client, request, once, signal);
  }

  /** Makes a note at a record, in the same way. */
  createNote(request: NoteRequest, once: Once, signal: AbortSignal): Promise<Answer<Made>> {
    return makeNote(this.client, request, once, signal);
  }

  /** Puts a record on a list or takes it from it; an unknown call may be repeated. */
  changeList(request: ListRequest, signal: AbortSignal): Promise<Answer<Made>> {
    return changeList(this.client, request, signal);
  }

  /** Sets whether an address takes a kind of e-mail; a repeat looks first. */
  setConsent(request: ConsentRequest, isRepeat: boolean, signal: AbortSignal): Promise<Answer<Made>> {
    return setConsent(this.client, request, isRepeat, signal);
  }

  /** Enrols a contact in a sequence; a repeat looks first. */
  enrol(request: SequenceRequest, isRepeat: boolean, signal: AbortSignal): Promise<Answer<Made>> {
    return enrol(this.client, request, isRepeat, signal);
  }

  /** Writes to the record of a unique property's value, or creates it; an unknown call may be repeated. */
  upsert(request: UpsertRequest, signal: AbortSignal): Promise<Answer<Made>> {
    return upsert(this.client, request, signal);
  }

  /** Says in a record's timeline what happened, as a note or as an event; once, however often it is said. */
  tellTimeline(request: EventRequest, form: TimelineForm, once: TimelineOnce, signal: AbortSignal) {
    return tellTimeline(this.client, request, form, once, signal);
  }

  /** All object types that were defined in the portal. */
  schemas(signal: AbortSignal) {
    return schemas(this.client, signal);
  }

  /** All properties of a type of records, those that are archived or those that are not. */
  properties(type: string, signal: AbortSignal, archived = false) {
    return properties(this.client, type, signal, archived);
  }

  /** Which account the token is of, with what HubSpot says beside: its time, and what is left of its limits. */
  accountInfo(signal: AbortSignal): Promise<Answer<AccountInfo>> {
    return accountInfo(this.client, signal);
  }

  /** Where an app's webhooks go and what it is subscribed to; only legacy public apps have a developer key to ask by. */
  appWebhooks(app: WebhooksApp, signal: AbortSignal): Promise<Answer<AppWebhooks>> {
    return appWebhooks(this.client, app, signal);
  }

  /** Lets an app's webhooks go there; said again, it changes nothing. */
  setWebhookTarget(app: WebhooksApp, target: Required<WebhookTarget>, signal: AbortSignal) {
    return setWebhookTarget(this.client, app, target, signal);
  }

  /** Subscribes an app to a kind of event, at once; look before a call is repeated whose answer was lost. */
  subscribe(app: WebhooksApp, wanted: NewSubscription, signal: AbortSignal): Promise<Answer<AppSubscription>> {
    return subscribe(this.client, app, wanted, signal);
  }

  /** Lets a subscription of an app tell, or pauses it; said again, it changes nothing. */
  switchSubscription(app: WebhooksApp, wanted: Pick<AppSubscription, 'id' | 'active'>, signal: AbortSignal) {
    return switchSubscription(this.client, app, wanted, signal);
  }

  /** All pipelines of a type of records, with their stages. */
  pipelines(type: string, signal: AbortSignal) {
    return pipelines(this.client, type, signal);
  }

  /** What a part of the portal consists of. */
  shape(part: string, signal: AbortSignal): Promise<Answer<Record<string, string>>> {
    return shape(this.client, part, signal);
  }

  /** All owners of the portal. */
  owners(signal: AbortSignal) {
    return owners(this.client, signal);
  }

  /** What the portal lacks of what the hub writes to, and what it has otherwise; changes nothing. */
  preparation(wishes: Wishes, signal: AbortSignal): Promise<Answer<Preparation>> {
    return preparation(this.client, wishes, signal);
  }

  /** Creates what a portal lacks, and nothing else. */
  prepare(lacking: Lacking, signal: AbortSignal): Promise<Answer<void>> {
    return prepare(this.client, lacking, signal);
  }

  /** Reads a page of all records of a type, each property with its last change. */
  list(request: ListPageRequest, signal: AbortSignal): Promise<Answer<RecordPage>> {
    return listPage(this.client, request, signal);
  }

  /** Reads a page of the records that a search finds, in the same way. The index of searches lags behind. */
  search(request: SearchPageRequest, signal: AbortSignal): Promise<Answer<RecordPage>> {
    return searchPage(this.client, request, signal);
  }

  /** Reads records of one type that changed, in one call; each is answered for itself. */
  readChanged(requests: readonly ChangedRequest[], signal: AbortSignal): Promise<Answer<ChangedRecord>[]> {
    return readChanged(this.client, requests, signal);
  }

  /** Counts records, without any bound. */
  count(request: CountRequest, signal: AbortSignal): Promise<Answer<number>> {
    return countRecords(this.client, request, signal);
  }
}
