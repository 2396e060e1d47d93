import type { Pool } from 'pg';
import type { Fact, PartKind, SaidError } from './card-says';
import { unread } from './unread';

/** One part of a card: a video, an enrichment, a fetch, or what became of writes. */
export interface CardPart {
  kind: PartKind;
  recipe: string;
  /** The record of the stream that says it: another one than the card's where that was merged. */
  own: string;
  /** Number of the newest render, enrichment, fetch or write. */
  job: number;
  /** RFC 3339: when that was said. */
  at: string;
  said: PartSays;
  /** By the newest job. */
  credits: number;
  inputTokens: number;
  outputTokens: number;
}

/** What a part says, as far as its kind says such. */
export interface PartSays {
  status?: string;
  triggeredAt?: string;
  videoId?: string;
  url?: string;
  error?: SaidError | null;
  ask?: string;
  model?: string;
  score?: number | null;
  sentiment?: number | null;
  summary?: string | null;
  reasons?: string[];
  evidence?: string[];
  facts?: Fact[];
  step?: string;
  system?: string;
  fields?: Fact[];
}

/** All that is known for the card of a record. */
export interface CardRead {
  /** Newest first; the oldest of very many are left out. */
  parts: CardPart[];
  /** How many were left out. */
  left: number;
  /** The CRM deleted the record, or it is forgotten. */
  isGone: boolean;
  /** RFC 3339: everything that happened until then is in it. */
  asOf: string;
  /** By all jobs. */
  spent: { credits: number; inputTokens: number; outputTokens: number };
}

const MOST_PARTS = 60;

/**
 * Reads what is known of one tenant's record, in one statement. Throws a NotBuilt where the read model is not there
 * yet, and a StoreUnavailable where the database does not answer in time.
 */
export async function readCard(
  pool: Pool,
  { tenant, subject }: { tenant: string; subject: string },
): Promise<CardRead> {
  try {
    // Not prepared: the next build may have other columns.
    const { rows } = await pool.query<CardRow>(READ, [tenant, subject, MOST_PARTS]);
    const [row] = rows;
    if (!row) throw new Error('the statement gives one row');
    const { parts, n, gone, as_of: asOf, credits, input, output } = row;
    const spent = { credits: Number(credits), inputTokens: Number(input), outputTokens: Number(output) };
    return { parts, left: Math.max(0, Number(n) - MOST_PARTS), isGone: gone, asOf: asOf.toISOString(), spent };
  } catch (error) {
    throw unread(error, 'cards');
  }
}

interface CardRow {
  parts: CardPart[];
  n: string;
  gone: boolean;
  as_of: Date;
  credits: string;
  input: string;
  output: string;
}

// Complete up to the first event that is not in it, and up to now where all are.
const READ = `
  with mine as materialized (
    select * from cards.part
    where tenant = $1 and subject = $2 and not (kind = 'write' and said->'error' = 'null')
  )
  select
    (select coalesce(json_agg(json_build_object('kind', p.kind, 'recipe', p.recipe, 'own', p.own, 'job', p.job,
        'at', to_char(p.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'said', p.said,
        'credits', p.job_credits, 'inputTokens', p.job_input, 'outputTokens', p.job_output) order by p.at desc), '[]')
      from (select * from mine order by at desc limit $3) p) as parts,
    (select count(*) from mine) as n,
    exists (select from cards.fate f where f.tenant = $1 and f.subject = $2 and (f.lost or f.forgotten)) as gone,
    coalesce((select e.occurred_at from event e
      where e.position > (select r.position from read_model r where r.name = 'cards' and r.build = 'live')
      order by e.position limit 1), statement_timestamp()) as as_of,
    (select coalesce(sum(credits), 0) from mine) as credits,
    (select coalesce(sum(input_tokens), 0) from mine) as input,
    (select coalesce(sum(output_tokens), 0) from mine) as output`;
