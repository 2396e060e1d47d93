import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A file of its own for a secret that is told only once. It is made before anybody is asked for the secret, so that what
 * could go wrong with it goes wrong before: never in place of a file that is there, and read by its owner alone.
 */
export class SecretFile {
  private constructor(
    readonly path: string,
    private readonly file: number,
  ) {}

  /** Makes the file, empty. Throws a sentence where there is one, or none can be made. */
  static make(path: string): SecretFile {
    try {
      return new SecretFile(path, openSync(path, 'wx', 0o600));
    } catch (error) {
      const { code = 'unwritable' } = error as NodeJS.ErrnoException;
      const why =
        code === 'EEXIST' ? 'is there already, and a secret is written over no file' : `cannot be made (${code})`;
      throw new Error(`${path} ${why}`, { cause: error });
    }
  }

  /** Returns only when the secret is on the disk. Throws a sentence without it. */
  keep(secret: string): void {
    try {
      writeSync(this.file, secret);
      fsyncSync(this.file);
      closeSync(this.file);
      const folder = openSync(dirname(this.path), 'r');
      fsyncSync(folder);
      closeSync(folder);
    } catch (error) {
      const { code = 'unwritable' } = error as NodeJS.ErrnoException;
      throw new Error(`${this.path} cannot be written (${code})`, { cause: error });
    }
  }

  /** Takes the empty file away: there is no secret for it. */
  drop(): void {
    closeSync(this.file);
    unlinkSync(this.path);
  }
}
