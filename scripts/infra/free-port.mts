import { createServer } from 'node:net';

/**
 * Returns a loopback port that was free a moment ago: whoever binds it must still be ready to be refused. It lies below
 * the ports that systems give to outgoing connections, so that none of those takes it in between.
 */
export async function freePort(preferred = randomPort()): Promise<number> {
  for (let port = preferred, attempt = 0; attempt < 50; port = randomPort(), attempt++) {
    if (await canBind(port)) return port;
  }
  throw new Error('No free port was found on 127.0.0.1 in 50 attempts');
}

function randomPort(): number {
  return 18_000 + Math.floor(Math.random() * 14_000);
}

async function canBind(port: number): Promise<boolean> {
  const server = createServer();
  const bound = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (bound) await new Promise((resolve) => server.close(resolve));
  return bound;
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
