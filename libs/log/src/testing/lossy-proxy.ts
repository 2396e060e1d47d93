import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What gets lost on the way: answers (the broker has the records) or requests (it has not). */
export type Loss = 'answers' | 'requests';

/**
 * A way to the broker on which bytes can get lost while the connections stay open: neither side hears of an error. The
 * broker's answers name the proxy in its place, so that clients stay on it.
 */
export class LossyProxy {
  loses: Loss | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly broker: { host: string; port: number },
  ) {
    server.on('connection', (client) => {
      this.join(client);
    });
  }

  static async before(broker: string): Promise<LossyProxy> {
    const [host = '', port = ''] = broker.split(':');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return new LossyProxy(server, { host, port: Number(port) });
  }

  get address(): string {
    return `${this.broker.host}:${String(this.port)}`;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private join(client: Socket): void {
    const broker = connect(this.broker);
    const [theirs, ours] = [this.broker.port, this.port].map((port) => this.asTold(port));
    client.on('data', (bytes) => {
      if (this.loses !== 'requests') broker.write(bytes);
    });
    broker.on('data', (bytes: Buffer) => {
      if (this.loses === 'answers') return;
      const at = theirs ? bytes.indexOf(theirs) : -1;
      if (at >= 0) ours?.copy(bytes, at);
      client.write(bytes);
    });
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
  }

  /** A broker's address as it stands in the protocol's metadata: length and bytes of the host, port. */
  private asTold(port: number): Buffer {
    const host = Buffer.from(this.broker.host);
    const told = Buffer.alloc(2 + host.length + 4);
    told.writeInt16BE(host.length);
    host.copy(told, 2);
    told.writeInt32BE(port, 2 + host.length);
    return told;
  }
}
