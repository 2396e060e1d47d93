import type { Pool } from 'pg';
import { unread } from './unread';

/** The video behind a stable link. */
export interface LinkRead {
  tenant: string;
  videoId: string;
}

/**
 * Reads which video a stable link stands for; undefined where it stands for none, or for none any more. Throws a NotBuilt
 * where the read model is not there yet, and a StoreUnavailable where the database does not answer in time.
 */
export async function readLink(pool: Pool, id: string): Promise<LinkRead | undefined> {
  try {
    // Not prepared: the next build may have other columns.
    const { rows } = await pool.query<LinkRead>(READ, [id]);
    return rows[0];
  } catch (error) {
    throw unread(error, 'links');
  }
}

const READ = `select tenant, video_id as "videoId" from links.link where id = $1`;
