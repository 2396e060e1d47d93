import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Signature } from '@hubspot/api-client';

export interface CardCall {
  method: string;
  /** Path and query, as they came. */
  url: string;
  body: unknown;
  /** Whether HubSpot's own helper takes the signature, with the app's secret and without. */
  isSigned: boolean;
}

export interface Reply {
  status: number;
  body: unknown;
}

/** Stands where the gateway stands, and answers a card by the contract of its back end. */
export class ContractHub {
  readonly calls: CardCall[] = [];
  /** Answers a call; `nth` counts from 1 those of the same method. */
  answer: (call: CardCall, nth: number) => Reply = () => ({ status: 404, body: {} });
  private readonly server: Server;
  url = '';

  constructor(private readonly secret: string) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8');
        const { method = '', url = '', headers } = request;
        if (!url.startsWith('/cards/')) return void response.writeHead(204).end(); // webhooks come here too
        const signed = headers['x-hubspot-signature-v3'];
        const timestamp = Number(headers['x-hubspot-request-timestamp']);
        const call = {
          method,
          url,
          body: raw === '' ? undefined : (JSON.parse(raw) as unknown),
          isSigned: typeof signed === 'string' && this.isValid(signed, method, url, raw, timestamp),
        };
        this.calls.push(call);
        const { status, body } = this.answer(call, this.calls.filter((one) => one.method === method).length);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
  }

  // The helper leaves the decoding of the address to its user.
  private isValid(signature: string, method: string, url: string, requestBody: string, timestamp: number): boolean {
    const decoded = `${this.url}${url}`.replace(/%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/g, decodeURIComponent);
    const { secret: clientSecret } = this;
    const given = { signature, method, url: decoded, clientSecret, requestBody, timestamp };
    return Signature.isValid({ ...given, signatureVersion: 'v3' });
  }

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
