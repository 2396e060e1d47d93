import { createSecretKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Option } from 'commander';
import { type Reference, TableFolder, tablesNamed } from '#libs/recipes';
import { UsageError } from './output';

/** The folder of the tables that recipes look into, as the services have it. */
export const tablesOption = (): Option =>
  new Option(
    '--tables <folder>',
    'the reference tables that recipes look into, as the services have them (TABLES_DIR)',
  );

// Cases are run under a secret of their own: what stands in them is no token of anybody.
const KEY_OF_CASES = createSecretKey('the secret of cases: no token of anybody', 'utf8');

const quiet = { info: () => undefined, warn: () => undefined };

/**
 * What recipes may refer to: the tables of a folder, and further ones that are only known by name. No database is asked:
 * a table of one has no rows here. Throws {@link UsageError} where there is no such folder, and a RecipeFault where a table
 * has a fault.
 */
export function referenceIn(folder: string | undefined, further: readonly string[] = []): Reference {
  if (folder !== undefined && !existsSync(folder)) throw new UsageError(`there is no folder ${folder}`);
  const tables = folder === undefined ? undefined : TableFolder.open(folder, { lines: quiet });
  const all = tables || further.length > 0 ? tablesNamed(further, tables) : undefined;
  return { ...(all ? { tables: all } : {}), tokenKey: KEY_OF_CASES };
}
