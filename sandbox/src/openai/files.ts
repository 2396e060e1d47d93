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

async function formOf(request: FastifyRequest): Promise<FormData> {
  const type = request.headers['content-type'] ?? '';
  try {
    return await new Response(new Uint8Array(request.rawBody), { headers: { 'content-type': type } }).formData();
  } catch {
    throw invalid('The body is no multipart/form-data.', null);
  }
}

export function addFileRoutes(app: FastifyInstance, files: FileStore): void {
  const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;
  app.post('/v1/files', async (request) => {
    const form = await formOf(request);
    const [file, purpose] = [form.get('file'), form.get('purpose')];
    if (!(file instanceof File)) throw invalid("'file' is a required property", 'file');
    if (purpose !== 'batch') throw invalid('The sandbox takes files of purpose batch only.', 'purpose');
    if (!file.name.endsWith('.jsonl')) throw invalid('Invalid file format for Batch API. Must be .jsonl', 'file');
    const bytes = Buffer.from(await file.arrayBuffer());
    if (bytes.length > MOST_BYTES) throw invalid('File is too large.', null);
    const seconds = numberOf(form.get('expires_after[seconds]'));
    const expiresAt = seconds === undefined ? null : unix() + seconds;
    return shown(files.add({ filename: file.name, purpose, bytes, expiresAt }));
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
