import { crmEvents, enrichmentEvents, isOf, readEvent, renderEvents } from '#libs/contracts';
import type { StoredEvent } from '../shapes';
import { type PartSaid, saidOfEnrichment, saidOfRender, saidOfWrite } from './card-says';
import { FATES, fateIn, ownOf } from './fates';
import type { ReadModel, Statement } from './read-model';

/**
 * What an app card shows of each record: a row for each video, enrichment, fetch and write of a stream, under the record
 * that the stream's record goes on as. Holds what models and other systems said of people: a record that is erased, by
 * HubSpot's privacy deletion or by an operator, has no rows left, and none after a rebuild.
 */
export const cardsModel: ReadModel = {
  name: 'cards',
  version: 1,
  says: 'what the app card shows of each CRM record: videos, scores, fetched data, errors and costs',
  tables: [
    `create table part (
       tenant text not null,
       stream_id text not null,
       part text not null,
       subject text not null,
       own text not null,
       kind text not null,
       recipe text not null,
       job int not null,
       is_final boolean not null,
       at timestamptz not null,
       said jsonb not null,
       job_credits int not null,
       job_input bigint not null,
       job_output bigint not null,
       credits int not null,
       input_tokens bigint not null,
       output_tokens bigint not null,
       primary key (tenant, stream_id, part)
     )`,
    `create index part_by_subject on part (tenant, subject)`,
    `create index part_by_own on part (tenant, own)`,
    FATES,
  ],
  apply,
};

/** What a page of events says of one part. */
interface Patch extends Omit<PartSaid, 'credits' | 'inputTokens' | 'outputTokens' | 'isFinal'>, Spent {
  tenant: string;
  streamId: string;
  subject: string;
  /** The stream's own record. */
  own: string;
  isFinal: boolean;
  at: Date;
  /** Spent by the newest job. */
  ofJob: Spent;
}

interface Spent {
  credits: number;
  inputTokens: number;
  outputTokens: number;
}

// What becomes of a record stands between what is said of it before and after: the order of the events is kept.
function apply(events: readonly StoredEvent[]): Statement[] {
  const statements: Statement[] = [];
  let patches = new Map<string, Patch>();
  const flush = () => {
    if (patches.size > 0)
      statements.push({ text: UPSERT, values: [JSON.stringify([...patches.values()].map(rowOf), storable)] });
    patches = new Map();
  };
  for (const event of events) {
    const fate = fateIn(event, 'part');
    if (fate) {
      flush();
      statements.push(...fate);
      continue;
    }
    const said = saidBy(event);
    if (!said) continue;
    const key = `${event.tenant}|${event.streamId}|${said.part}`;
    patches.set(key, onto(patches.get(key), patchOf(event, said)));
  }
  flush();
  return statements;
}

function saidBy({ type, data }: StoredEvent): PartSaid | undefined {
  if (isOf(renderEvents, type)) return saidOfRender(readEvent(renderEvents, type, data));
  if (isOf(enrichmentEvents, type)) return saidOfEnrichment(readEvent(enrichmentEvents, type, data));
  return isOf(crmEvents, type) ? saidOfWrite(readEvent(crmEvents, type, data)) : undefined;
}

function patchOf(event: StoredEvent, { credits = 0, inputTokens = 0, outputTokens = 0, ...said }: PartSaid): Patch {
  const { tenant, streamId, subject, occurredAt: at } = event;
  const spent = { credits, inputTokens, outputTokens };
  return {
    ...said,
    isFinal: said.isFinal ?? false,
    tenant,
    streamId,
    subject,
    own: ownOf(event),
    at,
    ...spent,
    ofJob: spent,
  };
}

/** As the statement does with what the row says already. */
function onto(before: Patch | undefined, after: Patch): Patch {
  if (!before) return after;
  const spent = plus(before, after);
  if (after.job > before.job) return { ...after, ...spent };
  const { subject } = after;
  if (after.job < before.job) return { ...before, ...spent, subject };
  const ofJob = plus(before.ofJob, after.ofJob);
  if (before.isFinal && !after.isFinal) return { ...before, ...spent, ofJob, subject };
  return { ...after, said: { ...before.said, ...withoutUndefined(after.said) }, ...spent, ofJob };
}

const plus = (one: Spent, other: Spent): Spent => ({
  credits: one.credits + other.credits,
  inputTokens: one.inputTokens + other.inputTokens,
  outputTokens: one.outputTokens + other.outputTokens,
});

const withoutUndefined = (said: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));

/** JSON may say what Postgres cannot store, and one such text would stop the model for ever: a NUL, or half of a pair. */
const storable = (_: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/[^\P{Cc}\n\t]/gu, '').toWellFormed() : value;

const rowOf = ({ ofJob, ...patch }: Patch) => ({
  tenant: patch.tenant,
  stream_id: patch.streamId,
  part: patch.part,
  subject: patch.subject,
  own: patch.own,
  kind: patch.kind,
  recipe: patch.recipe,
  job: patch.job,
  is_final: patch.isFinal,
  at: patch.at,
  said: patch.said,
  job_credits: ofJob.credits,
  job_input: ofJob.inputTokens,
  job_output: ofJob.outputTokens,
  credits: patch.credits,
  input_tokens: patch.inputTokens,
  output_tokens: patch.outputTokens,
});

const COLUMNS = `tenant, stream_id, part, subject, own, kind, recipe, job, is_final, at, said, job_credits, job_input,
  job_output, credits, input_tokens, output_tokens`;

// The newest job counts; of one job what came last, but nothing overrules an end that is final.
const NEWER = 'n.job > p.job';
const COUNTS = '(n.job > p.job or (n.job = p.job and (n.is_final or not p.is_final)))';
const ofJob = (column: string): string =>
  `${column} = case when ${NEWER} then n.${column} when n.job = p.job then p.${column} + n.${column} else p.${column} end`;

const UPSERT = `
  with said as (
    select * from json_to_recordset($1::json) as n (tenant text, stream_id text, part text, subject text, own text,
      kind text, recipe text, job int, is_final boolean, at timestamptz, said jsonb, job_credits int, job_input bigint,
      job_output bigint, credits int, input_tokens bigint, output_tokens bigint)
  ), n as (
    select s.*, coalesce(f.goes_on_as, s.subject) as shown_at
    from said s left join fate f on f.tenant = s.tenant and f.subject = s.subject
    where not exists (select from fate g where g.tenant = s.tenant and g.forgotten
      and g.subject in (s.subject, s.own, coalesce(f.goes_on_as, s.subject)))
  ), changed as (
    update part p set
      subject = n.shown_at,
      at = case when ${COUNTS} then n.at else p.at end,
      said = case when ${NEWER} then n.said when ${COUNTS} then p.said || n.said else p.said end,
      is_final = case when ${NEWER} then n.is_final else p.is_final or (n.job = p.job and n.is_final) end,
      ${ofJob('job_credits')}, ${ofJob('job_input')}, ${ofJob('job_output')},
      credits = p.credits + n.credits, input_tokens = p.input_tokens + n.input_tokens,
      output_tokens = p.output_tokens + n.output_tokens,
      job = greatest(p.job, n.job)
    from n where p.tenant = n.tenant and p.stream_id = n.stream_id and p.part = n.part
    returning p.tenant, p.stream_id, p.part
  )
  insert into part (${COLUMNS})
  select ${COLUMNS.replace('subject', 'shown_at')} from n where not exists (
    select from changed c where c.tenant = n.tenant and c.stream_id = n.stream_id and c.part = n.part)`;
