import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from './config';

/** Wraps the keys that secrets are sealed with: keys of ours, or a key service behind the same two calls. */
export interface KeyWrapper {
  /** The key wrapped, and by which key of the wrapper. */
  wrap(key: Buffer): Promise<{ by: string; wrapped: Buffer }>;
  /** Rejects where that key is not known any more, or what was wrapped was changed. */
  unwrap(by: string, wrapped: Buffer): Promise<Buffer>;
}

/** Thrown where a sealed text cannot be opened: it was changed, belongs elsewhere, or its key is not there any more. */
export class SealBroken extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`what was sealed cannot be opened: ${reason}`, options);
    this.name = 'SealBroken';
  }
}

const KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';

/** Seals texts at rest by envelope encryption: each under a key of its own, which the wrapper wraps. */
export class Sealer {
  constructor(private readonly keys: KeyWrapper) {}

  /** Seals a text for one place: opened for another, it is refused. */
  async seal(text: string, place: string): Promise<string> {
    const key = randomBytes(KEY_BYTES);
    const { by, wrapped } = await this.keys.wrap(key);
    const data = encrypt(key, Buffer.from(text, 'utf8'), place);
    return JSON.stringify({ by, key: wrapped.toString('base64'), data: data.toString('base64') });
  }

  /** Opens what was sealed for that place; rejects with {@link SealBroken}. */
  async open(sealed: string, place: string): Promise<string> {
    const { by, key, data } = partsOf(sealed);
    const opened = await this.keys.unwrap(by, Buffer.from(key, 'base64'));
    return decrypt(opened, Buffer.from(data, 'base64'), place).toString('utf8');
  }

  /** Whether the key is there by which it was sealed; nothing of what was sealed is opened for that. */
  async hasKeyOf(sealed: string): Promise<boolean> {
    try {
      const { by, key } = partsOf(sealed);
      await this.keys.unwrap(by, Buffer.from(key, 'base64'));
      return true;
    } catch (error) {
      if (error instanceof SealBroken) return false;
      throw error;
    }
  }
}

/** Wraps by keys of ours: the first one wraps, all unwrap, so that a new one may be put before the old ones. */
export class OwnKeys implements KeyWrapper {
  private readonly byId: ReadonlyMap<string, Buffer>;
  private readonly first: string;

  /** Throws a RangeError where there is no key. */
  constructor(keys: readonly Buffer[]) {
    this.byId = new Map(keys.map((key) => [idOf(key), key]));
    const [first] = this.byId.keys();
    if (first === undefined) throw new RangeError('no key to seal with');
    this.first = first;
  }

  wrap(key: Buffer): Promise<{ by: string; wrapped: Buffer }> {
    return Promise.resolve({ by: this.first, wrapped: encrypt(this.keyOf(this.first), key, this.first) });
  }

  async unwrap(by: string, wrapped: Buffer): Promise<Buffer> {
    return decrypt(this.keyOf(by), wrapped, by);
  }

  private keyOf(id: string): Buffer {
    const key = this.byId.get(id);
    if (!key) throw new SealBroken(`it was sealed by key ${id}, which is not among the sealing keys`);
    return key;
  }
}

/** The sealer of the setting `SEALING_KEY`; throws a {@link ConfigError} where there is no key. */
export function sealerOf(keys: readonly Buffer[] | undefined): Sealer {
  if (!keys) throw new ConfigError(['SEALING_KEY: is missing, and customers install an app; set SEALING_KEY_FILE']);
  return new Sealer(new OwnKeys(keys));
}

/** Accepts keys of 32 bytes in base64, one a line or separated by blanks; gives them. Marked as secret. */
export const sealingKeys = () =>
  z
    .string()
    .transform((text) => text.split(/\s+/).filter(Boolean))
    .refine((keys) => keys.length > 0 && keys.every(isKey), 'must be keys of 32 bytes in base64')
    .transform((keys) => keys.map((key) => Buffer.from(key, 'base64')))
    .meta({ secret: true });

const isKey = (text: string): boolean => Buffer.from(text, 'base64').length === KEY_BYTES;

function partsOf(sealed: string): z.infer<typeof sealedText> {
  const parsed = sealedText.safeParse(jsonOf(sealed));
  if (!parsed.success) throw new SealBroken('it has not the form of a sealed text');
  return parsed.data;
}

/** The most bytes that what was sealed can have, known without opening it. */
export const mostSealedBytes = (sealed: string): number => Math.ceil((sealed.length * 3) / 4);

const sealedText = z.object({ by: z.string(), key: z.base64(), data: z.base64() });

/** Names a key without telling anything of it. */
const idOf = (key: Buffer): string =>
  createHash('sha256').update('refrain sealing key ').update(key).digest('hex').slice(0, 8);

const IV_BYTES = 12;
const TAG_BYTES = 16;

function encrypt(key: Buffer, data: Buffer, place: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(place, 'utf8'));
  return Buffer.concat([iv, cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, sealed: Buffer, place: string): Buffer {
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new SealBroken('it is too short');
  const cipher = createDecipheriv(CIPHER, key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place, 'utf8'))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), cipher.final()]);
  } catch (error) {
    throw new SealBroken('it was changed, or sealed for another place or by another key', { cause: error });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
