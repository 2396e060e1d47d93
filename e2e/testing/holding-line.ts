import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * A line to a server that can hold back what a client sends until it is let go, even if the client has hung up by then:
 * what a slow network, or a process stopped in mid-send, does to a request.
 */
export class HoldingLine {
  private readonly held: (() => void)[] = [];
  private readonly sockets = new Set<Socket>();
  private holding: ((bytes: string) => boolean) | undefined;

  private constructor(
    private readonly target: URL,
    private readonly server = createServer((client) => this.carry(client)),
  ) {}

  static async to(url: string): Promise<HoldingLine> {
    const line = new HoldingLine(new URL(url));
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Holds back the next bytes that are so, and whatever follows them on their connection. */
  holdNext(isSo: (bytes: string) => boolean): void {
    this.holding = isSo;
  }

  get holds(): number {
    return this.held.length;
  }

  /** What was held back arrives now. */
  letGo(): void {
    for (const send of this.held.splice(0)) send();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private carry(client: Socket): void {
    const server = connect({ host: this.target.hostname, port: Number(this.target.port) });
    let waits = false;
    for (const socket of [client, server]) this.sockets.add(socket.on('error', () => undefined));
    server.on('data', (bytes) => client.write(bytes)).on('close', () => client.destroy());
    client.on('data', (bytes) => {
      if (!waits && this.holding?.(bytes.toString())) {
        this.holding = undefined;
        waits = true;
      }
      if (waits) this.held.push(() => server.write(bytes));
      else server.write(bytes);
    });
    client.on('close', () => {
      if (!waits) server.destroy();
    });
  }
}
