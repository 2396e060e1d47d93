import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { announcedBytes } from './body';
import { meter } from './metrics';
import { Problem } from './problem';

/** How much a server takes at once. */
export interface AdmissionBounds {
  /** Bytes of requests in hand: each counts its announced body and `requestBytes`. */
  budgetBytes: number;
  requestBytes: number;
  bodyLimit: number;
  connections: number;
}

/** Kept for health probes beyond the bound; the oldest of them gives way to the next. */
const SURPLUS_CONNECTIONS = 16;
const RETRY_AFTER_SECONDS = 5;
const probes = new Set(['/healthz', '/readyz']);

const budgetUsed = meter.createObservableGauge('http_server_body_budget_used_bytes', {
  description: 'Bytes of BODY_BUDGET_MIB that requests in hand hold',
});
const connectionsOpen = meter.createObservableGauge('http_server_connections', { description: 'Open connections' });

/**
 * Bounds what requests may hold in memory. Beyond it a request is answered 503 `overloaded` before its body is read, and
 * its connection is closed; health probes are always answered.
 */
export class Admission {
  private used = 0;
  private open = 0;
  private readonly surplus = new Set<Socket>();
  private readonly metrics = [
    { gauge: budgetUsed, read: (result: { observe(value: number): void }) => result.observe(this.used) },
    { gauge: connectionsOpen, read: (result: { observe(value: number): void }) => result.observe(this.open) },
  ];

  constructor(private readonly bounds: AdmissionBounds) {
    for (const { gauge, read } of this.metrics) gauge.addCallback(read);
  }

  /** Counts the requests of an app. */
  guard(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      const isSurplus = this.surplus.has(request.raw.socket);
      if (isSurplus) reply.header('connection', 'close');
      if (probes.has(request.route)) {
        done();
        return;
      }
      const { bodyLimit, requestBytes, budgetBytes } = this.bounds;
      const bytes = requestBytes + Math.min(bodyLimit, announcedBytes(request.raw, bodyLimit));
      if (isSurplus || this.used + bytes > budgetBytes) {
        reply.header('connection', 'close');
        done(new Problem('overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS }));
        return;
      }
      this.used += bytes;
      reply.raw.once('close', () => (this.used -= bytes));
      done();
    });
    fastify.addHook('onClose', (_app, done) => {
      for (const { gauge, read } of this.metrics) gauge.removeCallback(read);
      done();
    });
  }

  /** Counts the connections of a server, which may share the bound with others. */
  watch(server: Server, event: 'connection' | 'secureConnection' = 'connection'): void {
    server.on(event, (socket: Socket) => {
      this.open += 1;
      socket.once('close', () => {
        this.open -= 1;
        this.surplus.delete(socket);
      });
      if (this.open <= this.bounds.connections) return;
      server.closeIdleConnections();
      this.surplus.add(socket);
      const [oldest] = this.surplus;
      if (this.surplus.size > SURPLUS_CONNECTIONS) oldest?.destroy();
    });
  }
}
