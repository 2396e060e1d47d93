import { readFileSync, statSync } from 'node:fs';
import { ConfigError, type Environment, NoSecret, secretOf } from '#libs/platform';
import { every } from '#libs/recipes';
import type { System } from '#libs/vendors/fetch';
import { parse } from 'yaml';
import { z } from 'zod';
import { type SystemDeclaration, systemList } from './system.schema';

/** A system that can be asked. */
export interface OpenSystem extends System {
  timeoutMs: number;
  perMinute: number;
}

/** Where it is said what was taken up and what was not. */
interface Lines {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const LOOK_EVERY_MS = 1_000;

/**
 * The systems that recipes may ask, by name: those of a file, taken up again when it changes. A file that cannot be read,
 * or of which one secret cannot be had, is not taken up: the last good one stays.
 */
export class Systems {
  private open: ReadonlyMap<string, OpenSystem> = new Map();
  /** The states of the file that was taken up last, and of that whose faults were told last. */
  private taken: string | undefined;
  private told: string | undefined;
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;
  private readonly listeners: ((names: readonly string[]) => void)[] = [];
  /** Systems of which calls are owed still, declared or not. */
  private owed: readonly string[] = [];

  /** Opens what the file declares; none without a file. Throws one {@link ConfigError} with every fault. */
  constructor(
    private readonly file: string | undefined,
    private readonly env: Environment,
    private readonly lines: Lines,
  ) {
    const faults = this.look();
    if (faults.length > 0) throw new ConfigError(faults);
  }

  /** Undefined for what is not declared, or no longer. */
  readonly get = (name: string): OpenSystem | undefined => this.open.get(name);

  /** Tells the names of the systems now, and again when there are others. */
  follow(listener: (names: readonly string[]) => void): void {
    this.listeners.push(listener);
    listener(this.names());
  }

  private readonly names = (): string[] => [...new Set([...this.open.keys(), ...this.owed])];

  private tell(): void {
    for (const listener of this.listeners) listener(this.names());
  }

  /** Follows the file from now on; `owed` names systems of which calls are owed: they must end, declared or not. */
  start(owed: readonly string[] = [], everyMs = LOOK_EVERY_MS): void {
    this.owed = owed;
    this.tell();
    if (this.file !== undefined) this.following ??= this.lookOn(everyMs);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  private lookOn(everyMs: number): Promise<void> {
    return every(everyMs, this.stopping.signal, () => {
      const faults = this.look();
      if (faults.length > 0) this.lines.warn({ faults }, 'the systems file was not taken up: the last good one stays');
    });
  }

  /** Takes the file up where it has changed; resolves to its faults, told once for each change. */
  private look(): string[] {
    if (this.file === undefined) return [];
    const state = stateOf(this.file);
    if (state === this.taken) return [];
    const faults = this.take(this.file);
    if (faults.length === 0) this.taken = state;
    // A secret that is missing may come without a change of this file: it is tried again, in silence.
    const news = state === this.told ? [] : faults;
    this.told = state;
    return news;
  }

  private take(file: string): string[] {
    const read = readSystems(file);
    if ('faults' in read) return read.faults;
    const faults: string[] = [];
    const open = new Map(
      read.declared.map((one) => {
        const opened = openSystem(one, this.env);
        try {
          opened.headers();
        } catch (error) {
          if (!(error instanceof NoSecret)) throw error;
          faults.push(`SYSTEMS_FILE: system ${one.system}: ${error.message}`);
        }
        return [one.system, opened] as const;
      }),
    );
    if (faults.length > 0) return faults;
    this.open = open;
    this.tell();
    this.lines.info({ systems: [...open.keys()] }, 'systems taken up');
    return [];
  }
}

/** What changes when a file does. */
function stateOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return [mtimeMs, size, ino].join(' ');
  } catch {
    return 'none';
  }
}

function readSystems(path: string): { declared: SystemDeclaration[] } | { faults: string[] } {
  try {
    // Without pretty errors: they repeat lines of the file.
    const read = systemList.safeParse(parse(readFileSync(path, 'utf8'), { prettyErrors: false }) ?? []);
    if (read.success) return { declared: read.data };
    return { faults: [`SYSTEMS_FILE: is no list of systems: ${z.prettifyError(read.error)}`] };
  } catch (error) {
    return { faults: [`SYSTEMS_FILE: cannot be read: ${(error as Error).message}`] };
  }
}

function openSystem(declared: SystemDeclaration, env: Environment): OpenSystem {
  const { url, timeout, perMinute, maxBytes, auth } = declared;
  const secret = auth && secretOf(auth, env);
  const headers = (): Record<string, string> => {
    if (!auth || !secret) return {};
    switch (auth.scheme) {
      case 'bearer':
        return { authorization: `Bearer ${secret()}` };
      case 'header':
        return { [auth.header]: secret() };
      case 'basic':
        return { authorization: `Basic ${Buffer.from(`${auth.user}:${secret()}`).toString('base64')}` };
    }
  };
  return { url, private: declared.private, maxBytes, perMinute, timeoutMs: timeout, headers };
}
