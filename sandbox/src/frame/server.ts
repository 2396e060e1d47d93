import { once } from 'node:events';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { CallLog, type Call } from './call-log.ts';
import { FaultQueue, type Fault } from './faults.ts';
import { parsedOr, withoutSecrets } from './json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    rawBody: Buffer;
    /** Set when the body could not be read as the JSON it claims to be. */
    bodyUnreadable: boolean;
    call: Call | null;
    fault: Fault | null;
  }
}

/** An answer of the vendor that ends the handling of a call. */
export class VendorError extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`vendor answers ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export interface Frame {
  app: FastifyInstance;
  calls: CallLog;
  faults: FaultQueue;
}

export interface VendorHabits {
  /** The vendor's own answer for an error it knows by name. */
  namedError(code: string): VendorError | undefined;
  notFound(request: FastifyRequest): VendorError;
  unreadableBody(): VendorError;
  crashed(error: Error): VendorError;
}

export const isControl = (request: FastifyRequest): boolean => request.url.startsWith('/_sandbox');

function readBody(request: FastifyRequest, body: Buffer): unknown {
  request.rawBody = body;
  const type = request.headers['content-type'] ?? '';
  // Read by whoever takes it, from the raw body.
  if (type.startsWith('multipart/form-data')) return undefined;
  const text = body.toString('utf8');
  if (type.includes('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text));
  if (text === '') return undefined;
  const parsed = parsedOr(text);
  request.bodyUnreadable = typeof parsed === 'string' && !text.trimStart().startsWith('"');
  return parsed;
}

const HIDDEN_IN_OAUTH = new Set(['token', 'code']);

function hidden(path: string, value: unknown): unknown {
  return withoutSecrets(value, path.startsWith('/oauth') ? HIDDEN_IN_OAUTH : undefined);
}

function meetFault(fault: Fault, habits: VendorHabits, request: FastifyRequest, reply: FastifyReply): boolean {
  request.fault = fault;
  if (request.call) request.call.fault = fault.kind;
  switch (fault.kind) {
    case 'delay':
    case 'accept-then-hang':
    case 'accept-then-reset':
      return false;
    case 'hang':
      reply.hijack();
      return true;
    case 'reset':
      reply.hijack();
      request.raw.socket.resetAndDestroy();
      return true;
    case 'html':
      void reply
        .code(fault.status ?? 502)
        .headers(fault.headers ?? {})
        .type('text/html')
        .send(fault.body ?? '<html><body><h1>502 Bad Gateway</h1></body></html>');
      return true;
    case 'status': {
      const named = fault.code === undefined ? undefined : habits.namedError(fault.code);
      void reply
        .code(fault.status ?? named?.status ?? 500)
        .headers({ ...named?.headers, ...fault.headers })
        .send(fault.body ?? named?.body ?? { message: 'injected fault' });
      return true;
    }
  }
}

/** Builds the HTTP server every vendor stands on: raw bodies, the call log and injected faults. */
export function createFrame(habits: VendorHabits): Frame {
  const app = fastify({
    bodyLimit: 32 * 1024 * 1024,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 2000 },
  });
  const calls = new CallLog();
  const faults = new FaultQueue();
  app.decorateRequest('rawBody', null as unknown as Buffer);
  app.decorateRequest('bodyUnreadable', false);
  app.decorateRequest('call', null);
  app.decorateRequest('fault', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) =>
    done(null, readBody(request, body as Buffer)),
  );

  app.addHook('onRequest', async (request) => {
    request.rawBody = Buffer.alloc(0);
    if (isControl(request)) return;
    const path = (request.url.split('?')[0] ?? '').replace(/(access-tokens|refresh-tokens)\/.+/, '$1/[hidden]');
    request.call = calls.begin(
      request.method,
      path,
      hidden(path, { ...(request.query as object) }) as Record<string, unknown>,
    );
    const key = request.headers['idempotency-key'];
    if (typeof key === 'string') request.call.idempotencyKey = key;
  });
  app.addHook('preHandler', async (request, reply) => {
    const call = request.call;
    if (!call) return;
    if (request.body !== undefined) call.requestBody = hidden(call.path, request.body);
    const fault = faults.take(request.method, call.path, request.rawBody.toString('utf8'));
    if (fault && meetFault(fault, habits, request, reply)) return reply;
    if (request.bodyUnreadable) throw habits.unreadableBody();
  });
  app.addHook('onSend', async (request, _reply, payload) => {
    const call = request.call;
    if (!call) return payload;
    if (typeof payload === 'string' && payload !== '') call.responseBody = hidden(call.path, parsedOr(payload));
    if (request.fault?.kind === 'delay') await delayOrClosed(request, request.fault.delayMs ?? 1000);
    if (request.fault?.kind === 'accept-then-reset') request.raw.socket.resetAndDestroy();
    if (request.fault?.kind === 'accept-then-hang') await closed(request);
    return payload;
  });
  app.addHook('onResponse', async (request, reply) => {
    if (!request.call) return;
    if (!request.fault?.kind.startsWith('accept-then-')) request.call.status = reply.statusCode;
    request.call.durationMs = Math.round(reply.elapsedTime);
  });

  const answer = (reply: FastifyReply, error: VendorError): FastifyReply =>
    reply.code(error.status).headers(error.headers).send(error.body);
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof VendorError) return answer(reply, error);
    const thrown = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`${request.method} ${request.url}: ${thrown.stack ?? thrown.message}\n`);
    return answer(reply, isControl(request) ? new VendorError(500, { error: thrown.message }) : habits.crashed(thrown));
  });
  app.setNotFoundHandler((request, reply) =>
    answer(
      reply,
      isControl(request) ? new VendorError(404, { error: 'no such control call' }) : habits.notFound(request),
    ),
  );
  return { app, calls, faults };
}

async function closed(request: FastifyRequest): Promise<void> {
  if (!request.raw.socket.destroyed) await once(request.raw.socket, 'close');
}

async function delayOrClosed(request: FastifyRequest, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  request.raw.socket.once('close', resolve);
  await promise;
  clearTimeout(timer);
  request.raw.socket.off('close', resolve);
}
