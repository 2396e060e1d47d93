import type { Pool } from 'pg';
import { unread } from './unread';

/** The video behind a stable link. */
export interface LinkRead {
  tenant: string;
  videoId: string;
  /** Where its copy is, if there is one. */
  copy?: { bucket: string; folder: string };
}

/**
 * Reads which video a stable link stands for, and where its copy is; undefined where it stands for none, or for none any more. Throws a NotBuilt
 * where the read model is not there yet, and a StoreUnavailable where the database does not answer in time.
 */
export async function readLink(pool: Pool, id: string): Promise<LinkRead | undefined> {
  try {
    // Not prepared: the next build may have other columns.
    const { rows } = await pool.query<Row>(READ, [id]);
    const [row] = rows;
    if (!row) return undefined;
    const { tenant, videoId, bucket, folder } = row;
    return { tenant, videoId, ...(bucket !== null && folder !== null ? { copy: { bucket, folder } } : {}) };
  } catch (error) {
    throw unread(error, 'links');
  }
}

interface Row {
  tenant: string;
  videoId: string;
  bucket: string | null;
  folder: string | null;
}

const READ = `select tenant, video_id as "videoId", bucket, folder from links.link where id = $1`;
