import type { Pool } from 'pg';
import { sorted } from '../errors';

/** A CRM record as the read model `records` shows it. */
export interface RecordRow {
  tenant: string;
  subject: string;
  renderStatus: string | null;
  renderError: string | null;
  videoId: string | null;
  enrichmentStatus: string | null;
  enrichmentError: string | null;
  leadScore: string | null;
  writeStatus: string | null;
  writeError: string | null;
  renders: number;
  enrichments: number;
  writes: number;
  events: number;
  lastType: string;
  lastAt: Date;
}

/** Thrown where a read model has no tables yet. */
export class NotBuilt extends Error {
  constructor(readonly model: string) {
    super(
      `the read model ${model} was not built yet: crm-writer does it when it runs, \`refrain rebuild ${model}\` too`,
    );
    this.name = 'NotBuilt';
  }
}

/** Lists records by tenant and subject, from after `after` on; a field that is left out means any. */
export async function listRecords(
  pool: Pool,
  { status, tenant, after, limit }: { status?: string; tenant?: string; after?: [string, string]; limit: number },
): Promise<RecordRow[]> {
  try {
    // Not prepared: the next build may have other columns.
    const { rows } = await pool.query<RecordRow>(LIST, [status ?? null, tenant ?? null, ...(after ?? ['', '']), limit]);
    return rows;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42P01') throw new NotBuilt('records');
    throw sorted(error);
  }
}

const LIST = `
  select tenant, subject, render_status as "renderStatus", render_error as "renderError", video_id as "videoId",
    enrichment_status as "enrichmentStatus", enrichment_error as "enrichmentError", lead_score as "leadScore",
    write_status as "writeStatus", write_error as "writeError", renders, enrichments, writes, events,
    last_type as "lastType", last_at as "lastAt"
  from records.record
  where ($1::text is null or render_status = $1) and ($2::text is null or tenant = $2) and (tenant, subject) > ($3, $4)
  order by tenant, subject limit $5`;
