import type { FastifyReply } from 'fastify';
import type { Courier } from '../courier.ts';
import { numberOf, objectOf, textOf } from './json.ts';
import type { Frame } from './server.ts';
import { statusPage } from './status-page.ts';

export interface Target {
  url: string;
  /** Where to connect to, when that is not the public address. */
  deliverTo?: string;
}

export function refuse(reply: FastifyReply, error: string): FastifyReply {
  return reply.code(400).send({ error });
}

export interface ControlOptions {
  vendor: string;
  frame: Frame;
  courier?: Courier;
  state(): Record<string, unknown>;
  setTarget?(target: Target | undefined): void;
}

/** Adds the control calls that all vendors share. */
export function addControl({ vendor, frame, courier, state, setTarget }: ControlOptions): void {
  const { app, calls, faults } = frame;
  app.get('/_sandbox/calls', async (request) => ({
    calls: calls.since(numberOf(objectOf(request.query)['since']) ?? 0),
  }));
  app.delete('/_sandbox/calls', async (_request, reply) => {
    calls.clear();
    return reply.code(204).send();
  });
  app.get('/_sandbox/faults', async () => ({ faults: faults.list() }));
  app.post('/_sandbox/faults', async (request, reply) => {
    const problem = faults.plan(request.body);
    return problem === undefined ? { faults: faults.list() } : refuse(reply, problem);
  });
  app.delete('/_sandbox/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
  const page = async (_request: unknown, reply: FastifyReply): Promise<FastifyReply> =>
    reply.type('text/html; charset=utf-8').send(statusPage(vendor, calls.latest(50), courier?.latest(50), state()));
  app.get('/_sandbox', page);
  app.get('/_sandbox/', page);
  app.get('/_sandbox/state', async () => state());

  if (courier)
    app.get('/_sandbox/deliveries', async (request) => ({
      deliveries: courier.since(numberOf(objectOf(request.query)['since']) ?? 0),
      ...courier.load(),
    }));
  if (setTarget)
    app.put('/_sandbox/target', async (request, reply) => {
      const { url, deliverTo } = objectOf(request.body);
      if (url === null) {
        setTarget(undefined);
        return { target: null };
      }
      const target = { url: textOf(url) ?? '', deliverTo: textOf(deliverTo) };
      if (!URL.canParse(target.url)) return refuse(reply, 'url: an absolute URL is needed (null for none)');
      if (target.deliverTo !== undefined && !URL.canParse(target.deliverTo))
        return refuse(reply, 'deliverTo: an absolute URL is needed');
      setTarget(target);
      return { target };
    });
}
