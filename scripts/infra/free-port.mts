import { createServer, type AddressInfo } from 'node:net';

/** Returns a loopback port that was free a moment ago: whoever binds it must still be ready to be refused. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Calls `start` again, up to four times, when another process took its port first. */
export async function withFreshPorts<T>(start: () => Promise<T>, isTaken: RegExp): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 5 || !(error instanceof Error) || !isTaken.test(error.message)) throw error;
    }
  }
}
