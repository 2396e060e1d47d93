import type { FastifyInstance, FastifyRequest } from 'fastify';
import { numberOf, objectOf, textOf, type JsonObject } from '../frame/json.ts';
import type { Random } from '../frame/seeded-random.ts';
import { failed, invalid } from './errors.ts';
import { page } from './page.ts';

export interface StoredFile {
  id: string;
  filename: string;
  purpose: string;
  bytes: Buffer;
  createdAt: number;
  expiresAt: number | null;
}

const MOST_BYTES = 200 * 1024 * 1024;
export const unix = (): number => Math.floor(Date.now() / 1000);

/** Keeps files until they are deleted. */
export class FileStore {
  readonly #files = new Map<string, StoredFile>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  add(file: Pick<StoredFile, 'filename' | 'purpose' | 'bytes'> & { expiresAt?: number | null }): StoredFile {
    const stored = { id: `file-${this.#random.hex(24)}`, createdAt: unix(), expiresAt: null, ...file };
    this.#files.set(stored.id, stored);
    return stored;
  }

  get(id: string): StoredFile {
    const file = this.#files.get(id);
    if (!file) throw failed(404, `No such File object: ${id}`, { param: 'id' });
    return file;
  }

  delete(id: string): void {
    this.get(id);
    this.#files.delete(id);
  }

  /** Newest first. */
  all(): StoredFile[] {
    return [...this.#files.values()].reverse();
  }
}

const shown = ({ id, filename, purpose, bytes, createdAt, expiresAt }: StoredFile): JsonObject => ({
  id,
  object: 'file',
  bytes: bytes.length,
  created_at: createdAt,
  expires_at: expiresAt,
  filename,
  purpose,
  status: 'processed',
});

interface Part {
  filename?: string;
  bytes: Buffer;
}

/** The parts of a multipart body by their names, as clients of today write them. */
function partsOf({ headers, rawBody }: FastifyRequest): Map<string, Part> {
  const boundary = /boundary="?([^";]+)/.exec(headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw invalid('The body is no multipart/form-data.', null);
  // One character for each byte, so that places in it are places in the body.
  const pieces = `\r\n${rawBody.toString('latin1')}`.split(`\r\n--${boundary}`).slice(1, -1);
  return new Map(
    pieces.map((piece) => {
      const [head = '', ...rest] = piece.split('\r\n\r\n');
      const name = /name="([^"]*)"/.exec(head)?.[1] ?? '';
      return [
        name,
        { filename: /filename="([^"]*)"/.exec(head)?.[1], bytes: Buffer.from(rest.join('\r\n\r\n'), 'latin1') },
      ];
    }),
  );
}

export function addFileRoutes(app: FastifyInstance, files: FileStore): void {
  const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;
  app.post('/v1/files', async (request) => {
    const parts = partsOf(request);
    const [file, purpose] = [parts.get('file'), parts.get('purpose')?.bytes.toString()];
    if (file?.filename === undefined) throw invalid("'file' is a required property", 'file');
    if (purpose !== 'batch') throw invalid('The sandbox takes files of purpose batch only.', 'purpose');
    if (!file.filename.endsWith('.jsonl')) throw invalid('Invalid file format for Batch API. Must be .jsonl', 'file');
    const { filename, bytes } = file;
    if (bytes.length > MOST_BYTES) throw invalid('File is too large.', null);
    const seconds = numberOf(parts.get('expires_after[seconds]')?.bytes.toString());
    const expiresAt = seconds === undefined ? null : unix() + seconds;
    return shown(files.add({ filename, purpose, bytes, expiresAt }));
  });
  app.get('/v1/files', async (request) => {
    const query = objectOf(request.query);
    const purpose = textOf(query['purpose']);
    return page(
      files.all().filter((file) => purpose === undefined || file.purpose === purpose),
      query,
      shown,
      10_000,
    );
  });
  app.get('/v1/files/:id', async (request) => shown(files.get(idOf(request))));
  app.get('/v1/files/:id/content', async (request, reply) =>
    reply.type('application/octet-stream').send(files.get(idOf(request)).bytes),
  );
  app.delete('/v1/files/:id', async (request) => {
    const id = idOf(request);
    files.delete(id);
    return { id, object: 'file', deleted: true };
  });
}
