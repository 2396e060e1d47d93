import type { Socket } from 'node:net';
import type { Logger } from './logging';
import { countRefusal } from './metrics';
import { Problem, type ProblemCode } from './problem';

const codes: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'too-slow',
};

/** Answers what Node could not read as a request, counts it, logs one line, and closes the connection. */
export function refuseUnread(error: NodeJS.ErrnoException, socket: Socket, logger: Logger): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = new Problem(codes[error.code ?? ''] ?? 'bad-request');
  countRefusal('none', problem.code);
  logger.info({ route: 'none', status: problem.status, code: problem.code }, 'request');
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
