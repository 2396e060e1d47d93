import { createHmac, randomBytes } from 'node:crypto';
import { failed } from '../errors.ts';
import type { Render } from './render-store.ts';

/** Makes links to a video's files that die after a while, and checks them. */
export class AssetLinks {
  readonly #key = randomBytes(32);
  readonly #origin: () => string;
  readonly #lifeSeconds: () => number;

  constructor(origin: () => string, lifeSeconds: () => number) {
    this.#origin = origin;
    this.#lifeSeconds = lifeSeconds;
  }

  link(render: Render, file: string): string {
    const expires = Math.floor(Date.now() / 1000) + this.#lifeSeconds();
    const path = `/assets/${render.id}/${file}`;
    const query = `Expires=${expires}&Signature=${this.#sign(path, expires)}&Key-Pair-Id=SANDBOX`;
    return `${this.#origin()}${path}?${query}`;
  }

  page(render: Render): string {
    return `${this.#origin()}/share/${render.id}`;
  }

  /** Throws 403 for a link that is dead or was tampered with. */
  admit(path: string, query: Record<string, unknown>): void {
    const expires = Number(query['Expires']);
    const alive = expires * 1000 > Date.now() && query['Signature'] === this.#sign(path, expires);
    if (!alive) throw failed('resource_access_denied', 'The link has expired');
  }

  #sign(path: string, expires: number): string {
    return createHmac('sha256', this.#key).update(`${path}${expires}`).digest('hex').slice(0, 40);
  }
}
