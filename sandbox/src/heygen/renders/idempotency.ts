import { failed, invalid } from '../errors.ts';

interface Entry {
  at: number;
  answer?: unknown;
}

/** Answers a repeated key with the first answer, for a day, whatever the repeated body says. */
export class IdempotencyKeys {
  lifeMs = 24 * 3_600_000;
  readonly #entries = new Map<string, Entry>();

  /** Runs `work` once per key and scope. A refused first call frees its key. */
  async once<T>(
    scope: string,
    key: string | undefined,
    work: () => Promise<T>,
  ): Promise<{ answer: T; replayed: boolean }> {
    if (key === undefined) return { answer: await work(), replayed: false };
    if (!/^[A-Za-z0-9_:.-]{1,255}$/.test(key))
      throw invalid('Idempotency-Key must be 1 to 255 of the characters A-Z a-z 0-9 _ : . -', 'Idempotency-Key');
    const name = `${scope} ${key}`;
    const known = this.#entries.get(name);
    if (known !== undefined && Date.now() - known.at < this.lifeMs) {
      if (known.answer === undefined)
        throw failed('request_in_progress', 'A request with this Idempotency-Key is still being processed');
      return { answer: structuredClone(known.answer) as T, replayed: true };
    }
    const entry: Entry = { at: Date.now() };
    this.#entries.set(name, entry);
    try {
      const answer = await work();
      entry.answer = structuredClone(answer);
      return { answer, replayed: false };
    } catch (error) {
      this.#entries.delete(name);
      throw error;
    }
  }
}
