import { crmEvents, readEvent, type RecordRef, recordKey, subjectOf } from '#libs/contracts';
import type { StoredEvent } from '../shapes';
import type { Statement } from './read-model';

/** What became of records: a table of each read model that shows something of a record, and shows it no more when it is erased. */
export const FATES = `create table fate (
  tenant text not null,
  subject text not null,
  goes_on_as text,
  lost boolean not null default false,
  forgotten boolean not null default false,
  primary key (tenant, subject)
)`;

/** `render-default:contact:7:lead-qualified` is a stream of `contact:7`. */
export const ownOf = ({ streamId, tenant }: StoredEvent): string =>
  streamId
    .slice(streamId.indexOf('-') + 1 + recordKey(tenant, '').length)
    .split(':', 2)
    .join(':');

/**
 * What becomes of records by an event, undefined where it is about something else. The rows of `table` stand under a
 * tenant's `subject`, and belong to their `own` record's stream: they move with a merge, and go with an erasure of either.
 */
export function fateIn({ tenant, subject, type, data }: StoredEvent, table: string): Statement[] | undefined {
  if (!fates.has(type)) return undefined;
  const event = readEvent(crmEvents, type, data);
  switch (event.type) {
    case 'RecordMerged': {
      const into = subjectOf(event.data.into);
      const gone = subjectsOf(event.data.records).filter((one) => one !== into);
      const moved = [MERGED, movedIn(table)].map((text) => ({ text, values: [tenant, gone, into] }));
      return [...moved, { text: notToBeKeptIn(table), values: [tenant, into] }];
    }
    case 'RecordDeleted':
    case 'RecordRestored':
      return [{ text: LOST, values: [tenant, subjectsOf(event.data.records), event.type === 'RecordDeleted'] }];
    case 'RecordErasureAsked': {
      const values = [tenant, subjectsOf(event.data.records)];
      return [FORGOTTEN, erasedFrom(table)].map((text) => ({ text, values }));
    }
    case 'SubjectErased':
      // What comes in later is shown again, as it is decided again.
      return [{ text: erasedFrom(table), values: [tenant, [subject]] }];
    default:
      return undefined;
  }
}

const { RecordMerged, RecordDeleted, RecordRestored, RecordErasureAsked, SubjectErased } = crmEvents.shapes;
const fates: ReadonlySet<string> = new Set(
  [RecordMerged, RecordDeleted, RecordRestored, RecordErasureAsked, SubjectErased].map(({ wire }) => wire),
);

const subjectsOf = (records: readonly RecordRef[]): string[] => [...new Set(records.map(subjectOf))];

const MERGED = `
  insert into fate (tenant, subject, goes_on_as) select $1, s, $3 from unnest($2::text[]) s
  on conflict (tenant, subject) do update set goes_on_as = excluded.goes_on_as`;

const movedIn = (table: string): string =>
  `update ${table} set subject = $3 where tenant = $1 and subject = any ($2::text[])`;

// Of one that is forgotten nothing is kept, nor of what is merged into it.
const notToBeKeptIn = (table: string): string => `
  delete from ${table} p using fate f
  where f.tenant = $1 and f.subject = $2 and f.forgotten and p.tenant = f.tenant and p.subject = f.subject`;

const LOST = `
  insert into fate (tenant, subject, lost) select $1, s, $3 from unnest($2::text[]) s
  on conflict (tenant, subject) do update set lost = excluded.lost`;

const FORGOTTEN = `
  insert into fate (tenant, subject, forgotten) select $1, s, true from unnest($2::text[]) s
  on conflict (tenant, subject) do update set forgotten = true`;

const erasedFrom = (table: string): string => `
  delete from ${table} where tenant = $1 and (subject = any ($2::text[]) or own = any ($2::text[]))`;
