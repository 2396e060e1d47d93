import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A statement as a process sent it: with its parameters, of which one part is different in every call. */
export interface Sent {
  text: string;
  values: unknown[];
  /** What is different, as it stands in the values. */
  unique: string;
}

/**
 * Lets Debian's pgbench run the same statement, prepared, on so many connections, with a number of its own in the place
 * of what is unique, in sessions with these options; resolves to its transactions a second. Needs `pgbench` on the path.
 */
export async function pgbench(
  url: string,
  sent: Sent,
  clients: number,
  forMs: number,
  session: string,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'pgbench-'));
  try {
    const statement = sent.text.replace(/\$(\d+)/g, (_, n: string) => literal(sent.values[Number(n) - 1], sent.unique));
    const script = join(folder, 'script.sql');
    writeFileSync(script, `\\set id random(1, 1000000000000000)\n${statement.replaceAll(/\s+/g, ' ')};\n`);
    const seconds = String(Math.max(1, Math.round(forMs / 1_000)));
    const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', seconds, '-f', script];
    const printed = await output('pgbench', [...args, url], { PGOPTIONS: session });
    const tps = /^tps = ([\d.]+)/m.exec(printed)?.[1];
    if (tps === undefined) throw new Error(`pgbench measured nothing:\n${printed}`);
    return Number(tps);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function literal(value: unknown, unique: string): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) {
    return value.length === 0 ? `'{}'` : `array[${value.map((one) => literal(one, unique)).join(', ')}]`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  // A colon before a word would be a variable of pgbench, within quotes too.
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const quoted = text.replaceAll("'", "''").replaceAll(/:(?=\w)/g, `:' || '`);
  return `('${quoted.replaceAll(unique, `' || :id::bigint || '`)}')`;
}

function output(command: string, args: string[], environment: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(printed) : reject(new Error(`${command} failed:\n${printed}`))));
  });
}
