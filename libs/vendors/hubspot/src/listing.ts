import type { Answer, FoundProperty } from '#libs/contracts';
import type { SimplePublicObject } from '@hubspot/api-client/lib/codegen/crm/objects/models/SimplePublicObject';
import type { ValueWithTimestamp } from '@hubspot/api-client/lib/codegen/crm/objects/models/ValueWithTimestamp';
import { type Filter, FilterOperatorEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/Filter';
import { sorted, typeIdOf } from './answering';
import type { Sdk } from './sdk';

/** As many as HubSpot shows at once with the history of their properties. */
export const RECORDS_A_PAGE = 50;

/** Which records: RFC 3339, ends included. In the order of their last change where a time of it is given, else of ids. */
export type Where =
  | { modifiedFrom: string }
  | { modifiedAt: string; afterId: string }
  | { property: string; from: string; to: string; afterId: string };

/** A page of all records of a type; the first one, or where an earlier page said that the next one begins. */
export interface ListPageRequest {
  object: string;
  properties: string[];
  after?: string;
}

/** A page of the records that a search finds. */
export interface SearchPageRequest {
  object: string;
  properties: string[];
  where: Where;
}

/** Records to count: all of a type, or those whose last change was between two times (RFC 3339, ends included). */
export interface CountRequest {
  object: string;
  modified?: { from: string; to?: string };
}

/** A record as it was read; each property with its last change. */
export interface ListedRecord {
  id: string;
  created: { at: string; sourceType?: string; sourceId?: string };
  modifiedAt: string;
  properties: Record<string, FoundProperty>;
}

/** A page. `rows` are all that it holds, in order, with their last change as the page says it. */
export interface RecordPage {
  rows: { id: string; modifiedAt: string }[];
  /** Without those that were deleted between finding and reading them. */
  records: ListedRecord[];
  /** How many there are in all, where HubSpot says so. */
  total?: number;
  isLast: boolean;
  /** Of a list: where the next page begins. */
  next?: string;
}

const CREATED_BY = { sourceType: 'hs_object_source', sourceId: 'hs_object_source_id' };
const CREATION = Object.values(CREATED_BY);

/** Lists records by id, with history; the first page says how many there are. */
export const listPage = (
  client: Sdk,
  { object, properties, after }: ListPageRequest,
  signal: AbortSignal,
): Promise<Answer<RecordPage>> =>
  sorted(signal, async () => {
    const { basicApi } = client.crm.objects;
    const type = typeIdOf(object);
    const page = await basicApi.getPage(type, RECORDS_A_PAGE, after, CREATION, properties);
    const records = page.results.map((record) => listed(record, properties));
    const next = page.paging?.next?.after;
    const total = after === undefined ? { total: await totalOf(client, { object }) } : {};
    return { rows: records.map(rowOf), records, isLast: next === undefined, ...(next ? { next } : {}), ...total };
  });

/**
 * Searches for records, then reads them with their history: search itself shows none. What was deleted in between is
 * among the rows only.
 */
export const searchPage = (
  client: Sdk,
  { object, properties, where }: SearchPageRequest,
  signal: AbortSignal,
): Promise<Answer<RecordPage>> =>
  sorted(signal, async () => {
    const stamp = stampOf(object);
    const found = await client.crm.objects.searchApi.doSearch(typeIdOf(object), {
      filterGroups: [{ filters: filtersOf(where, stamp) }],
      sorts: ['modifiedFrom' in where ? stamp : ID],
      properties: [stamp],
      limit: RECORDS_A_PAGE,
    });
    const rows = found.results.map((record) => ({ id: record.id, modifiedAt: modifiedOf(record, stamp) }));
    const read = await readAll(client, object, rows, properties);
    const records = read.map((record) => listed(record, properties));
    return { rows, records, total: found.total, isLast: rows.length < RECORDS_A_PAGE };
  });

/** Counts records without reading them. */
export const countRecords = (client: Sdk, request: CountRequest, signal: AbortSignal): Promise<Answer<number>> =>
  sorted(signal, () => totalOf(client, request));

const ID = 'hs_object_id';
const stampOf = (object: string): string => (object === 'contact' ? 'lastmodifieddate' : 'hs_lastmodifieddate');

async function totalOf(client: Sdk, { object, modified }: CountRequest): Promise<number> {
  const stamp = stampOf(object);
  const filters = modified
    ? [
        compared(stamp, FilterOperatorEnum.Gte, modified.from),
        ...(modified.to === undefined ? [] : [compared(stamp, FilterOperatorEnum.Lte, modified.to)]),
      ]
    : [];
  const { total } = await client.crm.objects.searchApi.doSearch(typeIdOf(object), {
    filterGroups: filters.length > 0 ? [{ filters }] : [],
    properties: [stamp],
    limit: 1,
  });
  return total;
}

function filtersOf(where: Where, stamp: string): Filter[] {
  if ('modifiedFrom' in where) return [compared(stamp, FilterOperatorEnum.Gte, where.modifiedFrom)];
  const behind = { propertyName: ID, operator: FilterOperatorEnum.Gt, value: where.afterId };
  if ('modifiedAt' in where) return [compared(stamp, FilterOperatorEnum.Eq, where.modifiedAt), behind];
  const { property, from, to } = where;
  return [{ ...compared(property, FilterOperatorEnum.Between, from), highValue: millis(to) }, behind];
}

const compared = (propertyName: string, operator: FilterOperatorEnum, time: string): Filter => ({
  propertyName,
  operator,
  value: millis(time),
});

/** Times in filters are epoch milliseconds. */
const millis = (time: string): string => String(Date.parse(time));

/**
 * The records with their history, in the order of the rows, without those that are gone. A batch may be answered in part,
 * which is no error to the SDK; anything else that is missing would be a record that nobody looks at.
 */
export async function readAll(client: Sdk, object: string, rows: { id: string }[], properties: string[]) {
  if (rows.length === 0) return [];
  const answer = await client.crm.objects.batchApi.read(typeIdOf(object), {
    inputs: rows.map(({ id }) => ({ id })),
    properties: CREATION,
    propertiesWithHistory: properties,
  });
  const errors = 'errors' in answer ? (answer.errors ?? []) : [];
  const other = errors.find(({ category }) => category !== 'OBJECT_NOT_FOUND');
  if (other)
    throw Object.assign(new Error('read in part'), { code: 500, body: { message: other.message }, headers: {} });
  const byId = new Map(answer.results.map((record) => [record.id, record]));
  return rows.flatMap(({ id }) => {
    const record = byId.get(id);
    return record ? [record] : [];
  });
}

const rowOf = ({ id, modifiedAt }: ListedRecord) => ({ id, modifiedAt });

const modifiedOf = ({ properties, updatedAt }: SimplePublicObject, stamp: string): string =>
  new Date(properties[stamp] ?? updatedAt).toISOString();

/** What a record says, by what each property came to say last; or by another entry of its history, where one is chosen. */
export function listed(record: SimplePublicObject, names: string[], choose: Choose = ([last]) => last): ListedRecord {
  const sourceType = record.properties[CREATED_BY.sourceType];
  const sourceId = record.properties[CREATED_BY.sourceId];
  return {
    id: record.id,
    created: {
      at: record.createdAt.toISOString(),
      ...(sourceType ? { sourceType } : {}),
      ...(sourceId ? { sourceId } : {}),
    },
    modifiedAt: record.updatedAt.toISOString(),
    properties: Object.fromEntries(
      names.flatMap((name) => {
        const property = saidOf(record, name, choose);
        return property ? [[name, property]] : [];
      }),
    ),
  };
}

/** Chooses of a property's history, newest first. */
type Choose = (history: ValueWithTimestamp[]) => ValueWithTimestamp | undefined;

/** Of what has no history it is not known when it changed. */
function saidOf(
  { properties, propertiesWithHistory }: SimplePublicObject,
  name: string,
  choose: Choose,
): FoundProperty | undefined {
  const said = choose(propertiesWithHistory?.[name] ?? []);
  if (said) {
    const { sourceType, sourceId } = said;
    const at = new Date(said.timestamp).toISOString();
    return { value: said.value, at, sourceType, ...(sourceId ? { sourceId } : {}) };
  }
  const value = properties[name];
  return value ? { value } : undefined;
}
