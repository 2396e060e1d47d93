import { createHmac, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { run } from './query';

/** Names content so that nobody without the key can tell what it was, or whether it is a given one (protocol 6). */
export interface ContentKey {
  /** The slot of the call that all effects of this tenant, kind and content share. */
  slotOf(tenant: string, kind: string, material: string): string;
}

/** Thrown at start when the key is not the one that the store's receipts stand under. */
export class WrongContentKey extends Error {
  constructor(readonly storedId: string) {
    super(
      `CONTENT_KEY is not the key ${storedId} of the receipts in this store: with another one, every answer in it ` +
        'would be paid for again. Set the former key; without one, the key that the store made for itself is used.',
    );
    this.name = 'WrongContentKey';
  }
}

/**
 * Opens the key of content receipts: the `secret` from the settings or, where there is none, one that the store makes
 * for itself, once (enough for development: whoever reads the database reads it too). The first start keeps the key's
 * id and a check value; each later one with another key throws {@link WrongContentKey}.
 */
export async function contentKey(pool: Pool, secret: string | undefined): Promise<ContentKey> {
  const own = secret ?? randomBytes(32).toString('base64url');
  await run(pool, 'refrain-new-content-key', KEEP, [idOf(own), checkOf(own), secret === undefined ? own : null]);
  const { rows } = await run<KeyRow>(pool, 'refrain-content-key', 'select id, check_value, kept from content_key', []);
  const stored = rows[0];
  const key = secret ?? stored?.kept;
  if (!stored || !key || checkOf(key) !== stored.check_value) throw new WrongContentKey(stored?.id ?? 'none');
  return {
    slotOf: (tenant, kind, material) =>
      [tenant, kind, `content-${stored.id}`, mac(mac(key, `tenant ${tenant}`), `${kind}\n${material}`)].join('|'),
  };
}

const mac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex');
const idOf = (key: string): string => mac(key, 'id').slice(0, 8);
const checkOf = (key: string): string => mac(key, 'check');

interface KeyRow {
  id: string;
  check_value: string;
  kept: string | null;
}

const KEEP = 'insert into content_key (id, check_value, kept) values ($1, $2, $3) on conflict do nothing';
