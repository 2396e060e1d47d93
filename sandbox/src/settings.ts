import { readFileSync } from 'node:fs';

export type Environment = Record<string, string | undefined>;

/** Collects every fault of the settings, so that they can be told all at once. */
export class SettingsReader {
  readonly faults: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Reads a value that must be there, directly or from the file that `<name>_FILE` names. */
  secret(name: string): string {
    const value = this.#value(name);
    if (value === undefined) this.faults.push(`${name} (or ${name}_FILE) is missing`);
    return value ?? '';
  }

  optional(name: string): string | undefined {
    return this.#value(name);
  }

  positiveInteger(name: string): number {
    const value = this.secret(name);
    if (value !== '' && !/^[1-9]\d*$/.test(value)) this.faults.push(`${name} must be a positive whole number`);
    return Number(value);
  }

  number(name: string, preset: number): number {
    const value = this.#value(name);
    if (value === undefined) return preset;
    const number = Number(value);
    if (!Number.isFinite(number) || number < 0) this.faults.push(`${name} must be a number, 0 or more`);
    return number;
  }

  url(name: string): string | undefined {
    const value = this.#value(name);
    if (value !== undefined && !URL.canParse(value)) this.faults.push(`${name} must be an absolute URL`);
    return value;
  }

  target(): { url: string; deliverTo?: string } | undefined {
    const url = this.url('WEBHOOK_TARGET_URL');
    const deliverTo = this.url('WEBHOOK_DELIVER_TO');
    return url === undefined ? undefined : { url, deliverTo };
  }

  #value(name: string): string | undefined {
    const direct = this.#env[name];
    if (direct !== undefined && direct !== '') return direct;
    const file = this.#env[`${name}_FILE`];
    if (file === undefined || file === '') return undefined;
    try {
      return readFileSync(file, 'utf8').trim() || undefined;
    } catch {
      this.faults.push(`${name}_FILE cannot be read`);
      return undefined;
    }
  }
}
