import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A question as the other system was asked it: path and query as they came. */
export interface Question {
  url: string;
  authorization: string | undefined;
}

type Says = (response: ServerResponse, question: Question, earlier: number) => void;

/** Another company's system, on this machine: it answers what it is told to, and keeps what it was asked. */
export class OtherSystem {
  readonly questions: Question[] = [];
  private readonly server: Server;

  /** `says` tells its answers by the first part of the path; what it does not name is 404. */
  constructor(private readonly says: Readonly<Record<string, Says>>) {
    this.server = createServer((request, response) => {
      this.answer(request, response);
    });
  }

  /** Listens and resolves to its port. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** What it was asked whose address holds this. */
  asked(part: string): Question[] {
    return this.questions.filter(({ url }) => url.includes(part));
  }

  private answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const earlier = this.asked(url).length;
    const question = { url, authorization: headers.authorization };
    this.questions.push(question);
    const says = this.says[url.split(/[/?]/)[1] ?? ''];
    if (says) says(response, question, earlier);
    else response.writeHead(404).end('nothing of that name');
  }
}

/** Answers with JSON. */
export const json =
  (body: unknown): Says =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
