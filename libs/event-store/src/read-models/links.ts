import { isOf, isOfRender, readEvent, renderEvents } from '#libs/contracts';
import type { StoredEvent } from '../shapes';
import { FATES, fateIn, ownOf } from './fates';
import type { ReadModel, Statement } from './read-model';

/**
 * Which video stands behind a stable link, and where its copy is. Every link ever given has its row, whatever was rendered since, until its record
 * is erased, by HubSpot's privacy deletion or by an operator: then it leads nowhere, also after a rebuild.
 */
export const linksModel: ReadModel = {
  name: 'links',
  version: 2,
  says: 'which video stands behind each stable link, and where its copy is',
  tables: [
    `create table link (
       id text primary key,
       tenant text not null,
       subject text not null,
       own text not null,
       video_id text not null,
       bucket text,
       folder text
     )`,
    `create index link_by_subject on link (tenant, subject)`,
    `create index link_by_own on link (tenant, own)`,
    FATES,
  ],
  apply,
};

interface Row {
  id: string;
  tenant: string;
  subject: string;
  own: string;
  video_id: string;
  bucket?: string;
  folder?: string;
}

// What becomes of a record stands between the links that were given before and after: the order of the events is kept.
function apply(events: readonly StoredEvent[]): Statement[] {
  const statements: Statement[] = [];
  let rows = new Map<string, Row>();
  const flush = () => {
    if (rows.size > 0) statements.push({ text: UPSERT, values: [JSON.stringify([...rows.values()])] });
    rows = new Map();
  };
  for (const event of events) {
    const fate = fateIn(event, 'link');
    if (fate) {
      flush();
      statements.push(...fate);
      continue;
    }
    const row = rowOf(event);
    if (row) rows.set(row.id, row);
  }
  flush();
  return statements;
}

function rowOf(stored: StoredEvent): Row | undefined {
  const { tenant, subject, type, data } = stored;
  if (!isOf(renderEvents, type)) return undefined;
  const event = readEvent(renderEvents, type, data);
  if (!isOfRender(event) || (event.type !== 'RenderCompleted' && event.type !== 'RenderCopied')) return undefined;
  const { link: id, videoId: video_id } = event.data;
  if (id === undefined) return undefined;
  const copy = event.type === 'RenderCopied' ? { bucket: event.data.bucket, folder: event.data.folder } : {};
  return { id, tenant, subject, own: ownOf(stored), video_id, ...copy };
}

const UPSERT = `
  insert into link (id, tenant, subject, own, video_id, bucket, folder)
  select n.id, n.tenant, coalesce(f.goes_on_as, n.subject), n.own, n.video_id, n.bucket, n.folder
  from json_to_recordset($1::json) as n (id text, tenant text, subject text, own text, video_id text,
      bucket text, folder text)
    left join fate f on f.tenant = n.tenant and f.subject = n.subject
  where not exists (select from fate g where g.tenant = n.tenant and g.forgotten
    and g.subject in (n.subject, n.own, coalesce(f.goes_on_as, n.subject)))
  on conflict (id) do update set subject = excluded.subject, video_id = excluded.video_id,
    bucket = coalesce(excluded.bucket, link.bucket), folder = coalesce(excluded.folder, link.folder)`;
