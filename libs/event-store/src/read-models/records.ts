import {
  type Catalog,
  crmEvents,
  enrichmentEvents,
  isOf,
  isOfEnrichment,
  isOfRender,
  type OneEnrichmentEvent,
  type OneRenderEvent,
  readEvent,
  renderEvents,
} from '#libs/contracts';
import type { StoredEvent } from '../shapes';
import type { ReadModel, Statement } from './read-model';

export const renderStatuses = ['PENDING', 'REJECTED', 'FAILED', 'COMPLETED'] as const;
type Status = (typeof renderStatuses)[number];

/** One row per CRM record: where its video, its enrichment and its writes stand. Ids, codes and counts; nothing personal. */
export const recordsModel: ReadModel = {
  name: 'records',
  version: 1,
  says: 'one row per CRM record: where its video, its enrichment and its writes stand',
  tables: [
    `create table record (
       tenant text not null,
       subject text not null,
       render_status text,
       render_error text,
       video_id text,
       render_guard text collate "C",
       enrichment_status text,
       enrichment_error text,
       lead_score text,
       enrichment_guard text collate "C",
       write_status text,
       write_error text,
       renders int not null,
       enrichments int not null,
       writes int not null,
       events int not null,
       last_type text not null,
       last_at timestamptz not null,
       primary key (tenant, subject)
     )`,
    `create index record_by_render_status on record (render_status, tenant, subject)`,
  ],
  apply,
};

/** Where a job stands. The guard says which of two is newer: by trigger time, then number, then rank of the status. */
interface Standing {
  status: Status;
  guard: string;
  error?: string;
  /** Of a render: its video. Of an enrichment: its score. */
  result?: string;
  /** A new job forgets the result of the one before; only renders do. */
  anew?: boolean;
}

/** What a page of events says about one record. */
interface Patch {
  tenant: string;
  subject: string;
  render?: Standing;
  enrichment?: Standing;
  write?: { status: string; error?: string };
  renders: number;
  enrichments: number;
  writes: number;
  events: number;
  lastType: string;
  lastAt: Date;
}

function apply(events: readonly StoredEvent[]): Statement[] {
  const patches = new Map<string, Patch>();
  for (const event of events) {
    const read = readers.find(({ of }) => isOf(of, event.type));
    if (!read || notOfRecords.has(event.type)) continue;
    const { tenant, subject } = event;
    const key = `${tenant}:${subject}`;
    const patch = patches.get(key) ?? {
      tenant,
      subject,
      renders: 0,
      enrichments: 0,
      writes: 0,
      events: 0,
      ...last(event),
    };
    patches.set(key, Object.assign(patch, last(event), { events: patch.events + 1 }));
    read.note(patch, event);
  }
  return patches.size === 0 ? [] : [upsert([...patches.values()])];
}

// A rota is no record; nor is an erasure something that became of one.
const notOfRecords: ReadonlySet<string> = new Set([
  crmEvents.shapes.TurnTaken.wire,
  crmEvents.shapes.SubjectErased.wire,
]);

const last = ({ type, occurredAt }: StoredEvent) => ({ lastType: type, lastAt: occurredAt });

const readers: { of: Catalog; note: (patch: Patch, event: StoredEvent) => void }[] = [
  { of: renderEvents, note: noteRender },
  { of: enrichmentEvents, note: noteEnrichment },
  { of: crmEvents, note: noteWrite },
];

const RANK: Record<Status, number> = { PENDING: 1, REJECTED: 2, FAILED: 2, COMPLETED: 3 };

function standing(
  about: { triggeredAt: string },
  number: number,
  status: Status,
  more: Partial<Standing> = {},
): Standing {
  const at = new Date(about.triggeredAt).toISOString();
  return { status, guard: `${at} ${String(number).padStart(9, '0')} ${String(RANK[status])}`, ...more };
}

const newer = (before: Standing | undefined, after: Standing): Standing =>
  before && after.guard < before.guard
    ? before
    : { ...after, result: after.result ?? (after.anew ? undefined : before?.result), anew: after.anew ?? before?.anew };

function noteRender(patch: Patch, { type, data }: StoredEvent): void {
  const event = readEvent(renderEvents, type, data);
  if (!isOfRender(event)) return;
  if (event.type === 'RenderRequested') patch.renders += 1;
  const [status, more] = standingOfRender(event);
  patch.render = newer(patch.render, standing(event.data, event.data.render, status, more));
}

function standingOfRender(event: OneRenderEvent): [Status, Partial<Standing>?] {
  switch (event.type) {
    case 'RenderRequested':
      return ['PENDING', { anew: true }];
    case 'RenderPrepared':
    case 'RenderStarted':
    case 'RenderPostponed':
      return ['PENDING'];
    case 'RenderSubmitted':
      return ['PENDING', { result: event.data.videoId }];
    case 'RenderRejected':
      return ['REJECTED', { error: event.data.code }];
    case 'RenderFailed':
      return ['FAILED', { error: event.data.code, result: event.data.videoId }];
    case 'RenderCompleted':
    case 'RenderCopied':
      return ['COMPLETED', { result: event.data.videoId }];
  }
}

function noteEnrichment(patch: Patch, { type, data }: StoredEvent): void {
  const event = readEvent(enrichmentEvents, type, data);
  if (!isOfEnrichment(event) || event.type === 'EnrichmentSummarised') return;
  if (event.type === 'EnrichmentRequested') patch.enrichments += 1;
  const [status, more] = standingOfEnrichment(event);
  patch.enrichment = newer(patch.enrichment, standing(event.data, event.data.enrichment, status, more));
}

function standingOfEnrichment(
  event: Exclude<OneEnrichmentEvent, { type: 'EnrichmentSummarised' }>,
): [Status, Partial<Standing>?] {
  switch (event.type) {
    case 'EnrichmentRequested':
    case 'EnrichmentDivided':
    case 'EnrichmentPrepared':
    case 'EnrichmentMisread':
      return ['PENDING'];
    case 'EnrichmentRejected':
      return ['REJECTED', { error: event.data.code }];
    case 'EnrichmentFailed':
      return ['FAILED', { error: event.data.code }];
    case 'EnrichmentCompleted':
      return ['COMPLETED', { result: scoreOf(event.data.answer) }];
  }
}

const scoreOf = ({ lead_score: score }: Record<string, unknown>): string | undefined =>
  typeof score === 'number' || typeof score === 'string' ? String(score) : undefined;

function noteWrite(patch: Patch, { type, data }: StoredEvent): void {
  const event = readEvent(crmEvents, type, data);
  switch (event.type) {
    case 'RecordUpdateOwed':
      patch.write = { status: 'PENDING' };
      break;
    case 'RecordUpdated':
      patch.writes += 1;
      patch.write = { status: 'COMPLETED' };
      break;
    case 'RecordUpdateRejected':
      patch.write = { status: 'FAILED', error: event.data.code };
      break;
    default:
  }
}

const upsert = (patches: Patch[]): Statement => ({ text: UPSERT, values: [JSON.stringify(patches.map(rowOf))] });

const rowOf = ({ render, enrichment, write, ...patch }: Patch) => ({
  tenant: patch.tenant,
  subject: patch.subject,
  render_status: render?.status,
  render_error: render?.error,
  video_id: render?.result,
  render_guard: render?.guard,
  render_anew: render?.anew ?? false,
  enrichment_status: enrichment?.status,
  enrichment_error: enrichment?.error,
  lead_score: enrichment?.result,
  enrichment_guard: enrichment?.guard,
  write_status: write?.status,
  write_error: write?.error,
  renders: patch.renders,
  enrichments: patch.enrichments,
  writes: patch.writes,
  events: patch.events,
  last_type: patch.lastType,
  last_at: patch.lastAt,
});

const COLUMNS = `tenant, subject, render_status, render_error, video_id, render_guard, enrichment_status,
  enrichment_error, lead_score, enrichment_guard, write_status, write_error, renders, enrichments, writes, events,
  last_type, last_at`;

// A part that the page says nothing about has no guard and stays as it is; an older one does too.
const render = (column: string, value: string) =>
  `${column} = case when n.render_guard >= coalesce(r.render_guard, '') then ${value} else r.${column} end`;
const enrichment = (column: string, value: string) =>
  `${column} = case when n.enrichment_guard >= coalesce(r.enrichment_guard, '') then ${value} else r.${column} end`;

const UPSERT = `
  with n as (
    select * from json_to_recordset($1::json) as n (tenant text, subject text, render_status text, render_error text,
      video_id text, render_guard text, render_anew boolean, enrichment_status text, enrichment_error text,
      lead_score text, enrichment_guard text, write_status text, write_error text, renders int, enrichments int,
      writes int, events int, last_type text, last_at timestamptz)
  ), changed as (
    update record r set
      ${render('render_status', 'n.render_status')},
      ${render('render_error', 'n.render_error')},
      ${render('video_id', 'coalesce(n.video_id, case when not n.render_anew then r.video_id end)')},
      ${render('render_guard', 'n.render_guard')},
      ${enrichment('enrichment_status', 'n.enrichment_status')},
      ${enrichment('enrichment_error', 'n.enrichment_error')},
      ${enrichment('lead_score', 'coalesce(n.lead_score, r.lead_score)')},
      ${enrichment('enrichment_guard', 'n.enrichment_guard')},
      write_status = coalesce(n.write_status, r.write_status),
      write_error = case when n.write_status is null then r.write_error else n.write_error end,
      renders = r.renders + n.renders, enrichments = r.enrichments + n.enrichments, writes = r.writes + n.writes,
      events = r.events + n.events, last_type = n.last_type, last_at = n.last_at
    from n where r.tenant = n.tenant and r.subject = n.subject
    returning r.tenant, r.subject
  )
  insert into record (${COLUMNS}) select ${COLUMNS} from n
  where not exists (select from changed c where c.tenant = n.tenant and c.subject = n.subject)`;
