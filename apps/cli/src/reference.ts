import { createSecretKey } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Option } from 'commander';
import { askFolder, type Asks, asksBeside, type Reference, TableFolder, tablesNamed } from '#libs/recipes';
import { UsageError } from './output';

/** The folder of the tables that recipes look into, as the services have it. */
export const tablesOption = (): Option =>
  new Option(
    '--tables <folder>',
    'the reference tables that recipes look into, as the services have them (TABLES_DIR)',
  );

/** The folder of the asks that recipes use. */
export const asksOption = (): Option =>
  new Option(
    '--asks <folder>',
    'the asks that recipes use, as the services have them (ASKS_DIR); those of `asks` beside the folder of recipes unless said',
  );

/** The asks of a folder, or those beside the folder in which the recipes of a path stand. */
export function asksFor(recipes: string, folder: string | undefined): Asks {
  if (folder !== undefined && !existsSync(folder)) throw new UsageError(`there is no folder ${folder}`);
  return askFolder(folder ?? asksBeside(isFolder(recipes) ? recipes : dirname(recipes)));
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

// Cases are run under a secret of their own: what stands in them is no token of anybody.
const KEY_OF_CASES = createSecretKey('the secret of cases: no token of anybody', 'utf8');

const quiet = { info: () => undefined, warn: () => undefined };

/**
 * What the recipes of a path may refer to: the asks and tables of folders, and further tables that are only known by name.
 * No database is asked: a table of one has no rows here. Throws {@link UsageError} where there is no such folder, and a
 * RecipeFault where a table has a fault.
 */
export function referenceIn(
  path: string,
  { tables: folder, asks }: { tables?: string; asks?: string },
  further: readonly string[] = [],
): Reference {
  if (folder !== undefined && !existsSync(folder)) throw new UsageError(`there is no folder ${folder}`);
  const tables = folder === undefined ? undefined : TableFolder.open(folder, { lines: quiet });
  const all = tables || further.length > 0 ? tablesNamed(further, tables) : undefined;
  return { ...(all ? { tables: all } : {}), tokenKey: KEY_OF_CASES, asks: asksFor(path, asks) };
}
