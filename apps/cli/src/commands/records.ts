import { type Command, Option } from 'commander';
import { listRecords, type RecordRow, renderStatuses } from '#libs/event-store';
import { print, UsageError } from '../output';
import { withStore } from '../store';

interface Options {
  status?: string;
  tenant?: string;
  limit: string;
  json: boolean;
}

/** `refrain records`: where the CRM records stand, as the read model of that name has it. */
export function addRecords(program: Command): void {
  const records = program.command('records').description('CRM records that the hub knows, and where they stand');
  records
    .command('ls')
    .description('list records with their video, enrichment and writes, by tenant and id')
    .addOption(new Option('--status <status>', 'only those whose newest video stands there').choices(renderStatuses))
    .option('--tenant <name>', 'only of this tenant')
    .option('--limit <number>', 'at most so many', '1000')
    .option('--json', 'print as JSON', false)
    .action(ls);
}

async function ls({ status, tenant, limit, json }: Options): Promise<void> {
  if (!/^[1-9]\d{0,6}$/.test(limit)) throw new UsageError('--limit must be a whole number from 1 on');
  const records = await withStore((pool) => listRecords(pool, { status, tenant, limit: Number(limit) }));
  print(json, { records }, records.length === 0 ? 'No such record.' : [HEAD, ...records.map(lineOf)].join('\n'));
}

const columns = (...cells: string[]): string =>
  cells.map((cell, i) => (i < cells.length - 1 ? cell.padEnd(WIDTHS[i] ?? 0) : cell)).join('  ');

const WIDTHS = [12, 22, 32, 34, 26, 24];
const HEAD = columns('TENANT', 'RECORD', 'VIDEO', 'VIDEO ID', 'ENRICHMENT', 'CRM WRITE', 'LAST');

const standing = (status: string | null, detail: string | null): string =>
  status === null ? '-' : detail === null ? status : `${status} ${detail}`;

const lineOf = (record: RecordRow): string =>
  columns(
    record.tenant,
    record.subject,
    standing(record.renderStatus, record.renderError),
    record.videoId ?? '-',
    standing(record.enrichmentStatus, record.enrichmentError ?? record.leadScore),
    standing(record.writeStatus, record.writeError),
    `${record.lastAt.toISOString()} ${record.lastType}`,
  );
