import type { PoolClient, Submittable } from 'pg';

/** The part of pg's connection that a copy speaks to. */
interface Wire {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Sends rows by `COPY … FROM STDIN` (text format): all of them or none. `statement` is the whole command. */
export function copyIn(client: PoolClient, statement: string, rows: readonly string[][]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const data = Buffer.from(rows.map((row) => `${row.map(escaped).join('\t')}\n`).join(''));
  // What pg asks of a query of one's own, and no more.
  const copy = {
    submit: (wire: Wire) => wire.query(statement),
    handleCopyInResponse(wire: Wire) {
      wire.sendCopyFromChunk(data);
      wire.endCopyFrom();
    },
    handleCommandComplete: () => undefined,
    handleReadyForQuery: () => resolve(),
    handleError: (error: Error) => reject(error),
  };
  client.query(copy as unknown as Submittable);
  return promise;
}

const special = /[\\\t\n\r]/g;
const names: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

const escaped = (field: string): string => field.replace(special, (character) => names[character] ?? character);
