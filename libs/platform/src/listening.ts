import type { Server } from 'node:net';

/** Resolves once a server listens; rejects where it cannot. */
export async function listening(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  server.off('error', reject);
}
