import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface Sandbox {
  url: string;
  control<T = any>(method: string, path: string, body?: unknown): Promise<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a sandbox on a free port and gives a hand for its control API. */
export async function listening(app: FastifyInstance): Promise<Sandbox> {
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    url,
    async control(method, path, body) {
      const response = await fetch(`${url}/_sandbox${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
    },
  };
}

export interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  raw: string;
  body: any;
}

type Answer = (request: Received, response: ServerResponse, index: number) => void;

/** Receives webhooks; `when` settles as soon as what came in satisfies the condition. */
export class Receiver {
  readonly received: Received[] = [];
  answer: Answer = (_request, response) => void response.writeHead(204).end();
  #server: Server;
  #waiting: { met: () => boolean; resolve: () => void }[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8');
        const item: Received = {
          method: request.method ?? '',
          url: request.url ?? '',
          headers: request.headers,
          raw,
          body: raw.startsWith('{') || raw.startsWith('[') ? JSON.parse(raw) : raw,
        };
        this.received.push(item);
        this.answer(item, response, this.received.length - 1);
        for (const waiter of this.#waiting) if (waiter.met()) waiter.resolve();
      });
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get events(): any[] {
    return this.received.flatMap((item) => item.body);
  }

  async when(met: (receiver: this) => boolean): Promise<void> {
    if (met(this)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`did not come; got ${JSON.stringify(this.events)}`)), 10_000);
    this.#waiting.push({ met: () => met(this), resolve });
    await promise;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Reads again and again until the condition holds; every 5 ms. */
export async function until<T>(read: () => Promise<T>, met: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await read();
    if (met(value)) return value;
    if (Date.now() > deadline) throw new Error(`did not come: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
