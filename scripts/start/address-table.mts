import type { Hub } from './hub.mts';

/** Returns the lines of a table: what runs, where it listens, and where to read what it does. */
export function addressTable({ gatewayUrl, publicUrl, infra, sandboxes, services }: Hub): string[] {
  const rows = [
    ['', 'Address', 'Log'],
    ...services.map(({ name, url, logFile }) => [name, url, logFile]),
    ...sandboxes.map(({ vendor, url, child }) => [`${vendor} sandbox`, url, child.logFile]),
    ...sandboxes
      .filter(({ vendor }) => vendor === 'hubspot')
      .map(({ url }) => ['record pages', `${url}/_sandbox/records`, '']),
    ['Kafka', infra.kafkaBrokers, ''],
    ['Postgres', withoutPassword(infra.databaseUrl), ''],
  ];
  if (publicUrl !== gatewayUrl) rows.push(['Public URL', publicUrl, '']);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map(([what = '', address = '', log = '']) =>
    `  ${what.padEnd(width(0))}  ${address.padEnd(width(1))}  ${log}`.trimEnd(),
  );
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password = '';
  return url.href;
}
