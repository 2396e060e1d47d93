interface Queryable {
  query<R>(text: string): Promise<{ rows: R[] }>;
}

/** Every row of every table, of read models too, that says one of these words, behind its table's name; base64 is looked into. */
export async function rowsSaying(db: Queryable, ...words: string[]): Promise<string[]> {
  const tables = await db.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname <> 'information_schema' and not starts_with(n.nspname, 'pg_') and c.relkind = 'r'`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await db.query<{ row: string }>(`select t::text as row from ${name} t`);
    const texts = rows.map(({ row }) => `${name}: ${row} ${decoded(row)}`);
    found.push(...texts.filter((text) => words.some((word) => text.includes(word))));
  }
  return found;
}

/** The table of a row that was found. */
export const tableOf = (row: string): string => row.slice(0, row.indexOf(':'));

/** What a row says as base64, as records' bytes are kept. */
const decoded = (row: string): string =>
  (row.match(/[A-Za-z0-9+/=]{16,}/g) ?? []).map((text) => Buffer.from(text, 'base64').toString()).join(' ');
