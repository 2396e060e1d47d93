import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Environment } from './config';

/** Accepts a name that is declared in a file. */
export const declaredName = () =>
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes');

/** Accepts the name of an environment variable. */
export const variableName = () =>
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

/** Thrown where a secret cannot be had; its message says where it was looked for and nothing of what was found. */
export class NoSecret extends Error {}

/** Where a secret stands: never in a declaration itself. */
export interface SecretPlace {
  secretFile?: string;
  secretEnv?: string;
}

/**
 * Reads a secret anew for each use, so that a file's may change; while it cannot be read the last good one stays. Throws
 * {@link NoSecret} where there was none.
 */
export function secretOf({ secretFile: file, secretEnv: variable = '' }: SecretPlace, env: Environment): () => string {
  let last: string | undefined;
  return () => {
    const text = (file === undefined ? env[variable] : contentOf(file))?.trim();
    // What no header can carry is none.
    if (text && /^[\x20-\x7e]+$/.test(text)) last = text;
    if (last === undefined) throw new NoSecret(`${file ?? variable} holds no secret of plain ASCII`);
    return last;
  };
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
