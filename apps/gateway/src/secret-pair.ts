import { readFileSync, statSync } from 'node:fs';
import { Counter, type Environment, type Logger } from '#libs/platform';
import type { SecretName, Secrets } from './schemes/inbound';
import type { SecretDeclaration } from './schemes/rule';

/** How a secret is written where it stands; a token is a text that fits into an address and cannot be guessed. */
export type KeyFormat = 'text' | 'base64' | 'hex' | 'token';

const used = new Counter(
  'gateway_secrets_used',
  'Verified requests by endpoint or connection, scheme and secret (current or next)',
  ['endpoint', 'scheme', 'secret'],
);

/** By these one sees that a sender has changed to the next secret. `endpoint` is an endpoint or a connection. */
export const countSecret = (endpoint: string, scheme: string, secret: SecretName): void =>
  used.add(endpoint, scheme, secret);

const LOOK_EVERY_MS = 1_000;

/** Thrown where a secret cannot be had; its message says where it was looked for and nothing of what was found. */
export class NoSecret extends Error {}

interface Source {
  read(now: number): Buffer | undefined;
}

/** The current and the next secret of a scheme, as they stand in their files or in the environment. */
export class SecretPair {
  private readonly current: Source;
  private readonly next: Source;

  /** Reads both. Throws {@link NoSecret} where the current one cannot be read, or one is malformed. */
  constructor(declared: SecretDeclaration, format: KeyFormat, env: Environment, logger: Logger) {
    const sourceOf = (name: SecretName, file: string | undefined, variable: string | undefined): Source => {
      if (file !== undefined) return new SecretFile(file, format, name === 'next', logger);
      const value = variable === undefined ? undefined : keyOf(env[variable] ?? '', format, variable);
      return { read: () => value };
    };
    this.current = sourceOf('current', declared.secretFile, declared.secretEnv);
    this.next = sourceOf('next', declared.nextSecretFile, declared.nextSecretEnv);
    this.read(0);
  }

  /** What is accepted now; `now` is monotonic milliseconds. Files are looked at once a second at most. */
  read(now: number): Secrets {
    // The next one first: where it is moved to the current one's place meanwhile, it is found there.
    const next = this.next.read(now);
    const current = this.current.read(now);
    if (current === undefined) throw new NoSecret('no secret is there');
    return { current, next };
  }
}

/** A mounted file, read again when it changes. What was read stays as long as nothing better can be read. */
class SecretFile implements Source {
  private value: Buffer | undefined;
  private seen: string | undefined;
  private lookedAt: number | undefined;
  private warned = false;

  /** One that `mayBeAbsent` has no value while its file is empty or not there. */
  constructor(
    private readonly path: string,
    private readonly format: KeyFormat,
    private readonly mayBeAbsent: boolean,
    private readonly logger: Logger,
  ) {
    this.look();
  }

  read(now: number): Buffer | undefined {
    if (this.lookedAt !== undefined && now - this.lookedAt < LOOK_EVERY_MS) return this.value;
    this.lookedAt = now;
    try {
      this.look();
      this.warned = false;
    } catch (error) {
      // Nothing of the error but its kind: it could repeat what stands in the file.
      const why = error instanceof NoSecret ? error.message : 'unreadable';
      if (!this.warned) this.logger.warn({ file: this.path, why }, 'a secret was not read again; the old one stays');
      this.warned = true;
    }
    return this.value;
  }

  private look(): void {
    const state = stateOf(this.path);
    if (state === undefined || state === this.seen) {
      if (state === undefined && !this.mayBeAbsent) throw new NoSecret(`${this.path} is not there`);
      if (state === undefined) this.value = this.seen = undefined;
      return;
    }
    const text = contentOf(this.path);
    this.value = text === '' && this.mayBeAbsent ? undefined : keyOf(text, this.format, this.path);
    this.seen = state;
  }
}

/** What changes when a file does; undefined where there is none. */
const stateOf = (path: string): string | undefined =>
  ofFile(path, () => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat && [stat.mtimeMs, stat.size, stat.ino].join(' ');
  });

const contentOf = (path: string): string => ofFile(path, () => readFileSync(path, 'utf8').trim());

function ofFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new NoSecret(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
}

function keyOf(text: string, format: KeyFormat, where: string): Buffer {
  if (text === '') throw new NoSecret(`${where} is empty`);
  if (format === 'token' && !/^[\w-]{32,100}$/.test(text)) {
    throw new NoSecret(`${where} is no token of 32 to 100 letters, digits, dashes and underscores`);
  }
  if (format === 'text' || format === 'token') return Buffer.from(text);
  const encoded = format === 'base64' ? text.replace(/^whsec_/, '') : text.toLowerCase();
  const key = Buffer.from(encoded, format);
  // Decoding stops at what does not fit: only what comes back the same was meant so.
  const same = key.toString(format).replace(/=+$/, '') === encoded.replace(/=+$/, '');
  if (key.length === 0 || !same) throw new NoSecret(`${where} is not ${format}`);
  return key;
}
