import { createSecretKey } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ExpressionError, HeldTables, MOST_ROWS, type Row, TableFaults } from '#libs/expressions';
import { askFolder } from './asks';
import type { BookLines } from './book';
import { every } from './every';
import { RecipeFault } from './read';
import type { Reference, ReferenceTables } from './reference';
import { RecipeSource } from './source';
import { type TableFile, tableSchema } from './table.schema';

/**
 * Reads the rows of a query from another database, without writing there; rejects where there are more than `most`, or
 * they do not come in time. Its errors name neither address nor values.
 */
export type ReadRows = (ask: { url: string; query: string; most: number }) => Promise<Row[]>;

/** How a folder of tables is read. */
export interface TableFolderOptions {
  lines: BookLines;
  /** For the addresses that tables name. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where it is absent, tables of a database are known by name, and have no rows. */
  rows?: ReadRows;
  /** How often, in milliseconds, files are looked at. */
  everyMs?: number;
}

/** One file of the folder. `mark` changes with it; `taken` is the mark of what is held. */
interface Source {
  name: string;
  file: string;
  mark: string;
  taken?: string;
  /** Of a file that could not be taken over: the mark that was told of. */
  refused?: string;
  /** Of a database. */
  asks?: { file: TableFile; dueMs: number };
}

const CSV = /^([A-Za-z][\w-]{0,62})\.csv$/;
const DATABASE = /^([A-Za-z][\w-]{0,62})\.table\.ya?ml$/;

/**
 * The reference tables of a folder, held in memory: `<name>.csv`, and `<name>.table.yaml` for rows of a database. What
 * changes is taken over whole, once the file stands still, or not at all: of what has a fault, or is gone, the last good
 * rows stay, and that is told once.
 */
export class TableFolder implements ReferenceTables {
  private readonly held = new HeldTables();
  private readonly sources = new Map<string, Source>();
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;

  private constructor(
    private readonly folder: string,
    private readonly options: TableFolderOptions,
  ) {}

  /** Reads the folder's files; throws a {@link RecipeFault} that names every fault. */
  static open(folder: string, options: TableFolderOptions): TableFolder {
    const opened = new TableFolder(folder, options);
    const faults = opened.look(true);
    if (faults.length > 0) throw new RecipeFault(faults);
    return opened;
  }

  has(table: string): boolean {
    return this.sources.has(table);
  }

  names(): readonly string[] {
    return [...this.sources.keys()].sort();
  }

  get(table: string, key: string): Row | undefined {
    if (this.has(table) && this.held.version(table) === undefined)
      throw new ExpressionError('no-table', `The reference table ${table} was not read yet`);
    return this.held.get(table, key);
  }

  version(table: string): string | undefined {
    return this.held.version(table);
  }

  async start(): Promise<void> {
    if (this.following) return;
    const faults = await this.ask(performance.now());
    if (faults.length > 0) throw new RecipeFault(faults);
    // A database that lets one wait holds back no file.
    const follow = [this.follow(() => this.look(false)), this.follow(() => this.ask(performance.now()))];
    this.following = Promise.all(follow).then(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  private async follow(look: () => string[] | Promise<string[]>): Promise<void> {
    const { lines, everyMs = 2_000 } = this.options;
    await every(everyMs, this.stopping.signal, async () => {
      const faults = await look();
      if (faults.length > 0) lines.warn({ faults }, 'a reference table cannot be taken over: its last good rows stay');
    });
  }

  /** Looks at the files once; resolves to the faults that were not told yet. */
  private look(first: boolean): string[] {
    let files: string[];
    try {
      files = readdirSync(this.folder).sort();
    } catch (error) {
      if (first) return [`${this.folder}: the folder of tables cannot be read (${codeOf(error)})`];
      files = [];
    }
    const seen = new Map<string, string>();
    const faults: string[] = [];
    for (const file of files) {
      const name = (CSV.exec(file) ?? DATABASE.exec(file))?.[1];
      if (name === undefined) {
        if (first && /\.(csv|table\.ya?ml)$/.test(file))
          faults.push(`${join(this.folder, file)}: the name of a table is letters, digits, - and _, a letter first`);
      } else if (seen.has(name)) {
        if (first) faults.push(`${join(this.folder, file)}: the table ${name} stands in ${seen.get(name) ?? ''} too`);
      } else {
        seen.set(name, file);
        faults.push(...this.lookAt(name, join(this.folder, file), first));
      }
    }
    for (const source of this.sources.values())
      if (!seen.has(source.name)) faults.push(...refusal(source, GONE, [`${source.file}: it is gone`]));
    return faults;
  }

  private lookAt(name: string, file: string, first: boolean): string[] {
    const source: Source = this.sources.get(name) ?? { name, file, mark: '' };
    const mark = markOf(file);
    // A file that is still written would be half a table: it is taken once it has not changed between two looks.
    const stands = first || source.mark === mark;
    this.sources.set(name, Object.assign(source, { file, mark }));
    if (mark === source.taken && source.refused === GONE) delete source.refused;
    if (!stands || mark === source.taken || mark === source.refused) return [];
    try {
      this.take(source, readFileSync(file, 'utf8'));
      source.taken = mark;
      delete source.refused;
      return [];
    } catch (error) {
      return refusal(source, mark, faultsOf(file, error));
    }
  }

  private take(source: Source, text: string): void {
    const { name, file } = source;
    if (CSV.test(basename(file))) {
      this.held.load(name, file, text);
      delete source.asks;
      this.tell(name);
      return;
    }
    const yaml = new RecipeSource(text, file);
    if (yaml.faults.length > 0) throw new RecipeFault(yaml.faults);
    const parsed = tableSchema.safeParse(yaml.value);
    if (!parsed.success)
      throw new RecipeFault(parsed.error.issues.map(({ path, message }) => yaml.fault(path, message)));
    source.asks = { file: parsed.data, dueMs: 0 };
  }

  /** Asks the databases whose rows are due; resolves to the faults that were not told yet. */
  private async ask(nowMs: number): Promise<string[]> {
    const { rows } = this.options;
    const faults: string[] = [];
    for (const source of this.sources.values()) {
      const { asks, name, file, mark } = source;
      if (!rows || !asks || asks.dueMs > nowMs) continue;
      asks.dueMs = nowMs + asks.file.every;
      const { query, key } = asks.file;
      try {
        const before = this.held.version(name);
        this.held.loadRows(name, file, key, await rows({ url: this.urlOf(asks.file), query, most: MOST_ROWS }));
        delete source.refused;
        if (this.held.version(name) !== before) this.tell(name);
      } catch (error) {
        const told = faultsOf(file, error);
        faults.push(...refusal(source, `${mark} ${told.join(' ')}`, told));
      }
    }
    return faults;
  }

  private urlOf({ url }: TableFile): string {
    if ('file' in url) return readFileSync(resolve(this.folder, url.file), 'utf8').trim();
    const value = this.options.env?.[url.env];
    if (!value) throw new Error(`the environment has no ${url.env}`);
    return value;
  }

  private tell(table: string): void {
    const { lines } = this.options;
    lines.info({ table, version: this.held.version(table), rows: this.held.size(table) }, 'reference table taken over');
  }
}

const GONE = 'gone';

/** Tells of a fault once. */
function refusal(source: Source, mark: string, faults: string[]): string[] {
  if (source.refused === mark) return [];
  source.refused = mark;
  return faults;
}

const faultsOf = (file: string, error: unknown): string[] =>
  error instanceof RecipeFault
    ? error.faults
    : error instanceof TableFaults
      ? error.faults.map((fault) => `${fault.file}:${String(fault.line)}: ${fault.reason}`)
      : [`${file}: ${error instanceof Error ? error.message : String(error)}`];

function markOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return [mtimeMs, size, ino].join(' ');
  } catch {
    return '';
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

/** What recipes may refer to, by an app's settings; throws a {@link RecipeFault} where a table has a fault. */
export const referenceOf = (
  { TABLES_DIR, RECIPES_TOKEN_KEY, ASKS_DIR }: { TABLES_DIR?: string; RECIPES_TOKEN_KEY?: string; ASKS_DIR?: string },
  options: TableFolderOptions,
): Reference => ({
  ...(TABLES_DIR === undefined ? {} : { tables: TableFolder.open(TABLES_DIR, options) }),
  ...(ASKS_DIR === undefined ? {} : { asks: askFolder(ASKS_DIR) }),
  ...(RECIPES_TOKEN_KEY === undefined ? {} : { tokenKey: createSecretKey(RECIPES_TOKEN_KEY, 'utf8') }),
});
