import type { FastifyInstance, FastifyRequest } from 'fastify';
import { refuse } from '../frame/control.ts';
import { isControl } from '../frame/server.ts';
import { objectOf, textOf } from '../frame/json.ts';
import { adopt } from '../frame/switches.ts';
import { BATCH_ENDPOINTS } from './batch-lines.ts';
import { shownBatch, type BatchStore } from './batches.ts';
import { failed, invalid } from './errors.ts';
import { page } from './page.ts';

const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;

export function addBatchRoutes(app: FastifyInstance, batches: BatchStore): void {
  app.addHook('preHandler', async (request) => {
    const { settings } = batches;
    if (settings.batches || isControl(request) || !/^\/v1\/(files|batches)/.test(request.url)) return;
    throw failed(404, `Invalid URL (${request.method} ${request.url.split('?')[0]})`);
  });
  app.post('/v1/batches', async (request) => {
    const body = objectOf(request.body);
    if (!BATCH_ENDPOINTS.includes(textOf(body['endpoint']) ?? ''))
      throw invalid(`Invalid value: '${String(body['endpoint'])}'.`, 'endpoint', 'invalid_value');
    return shownBatch(batches.create(body));
  });
  app.get('/v1/batches', async (request) => page(batches.all(), objectOf(request.query), shownBatch));
  app.get('/v1/batches/:id', async (request) => shownBatch(batches.get(idOf(request))));
  app.post('/v1/batches/:id/cancel', async (request) => shownBatch(batches.cancel(idOf(request))));
}

export function addBatchControl(app: FastifyInstance, batches: BatchStore): void {
  app.get('/_sandbox/batches', async () => ({ batches: batches.all().map(shownBatch) }));
  app.post('/_sandbox/batches/:id/finish', async (request) => shownBatch(batches.finish(idOf(request))));
  app.put('/_sandbox/batches', async (request, reply) => {
    const problem = adopt(batches.settings, objectOf(request.body));
    return problem === undefined ? batches.settings : refuse(reply, problem);
  });
  app.get('/_sandbox/batch-faults', async () => ({ faults: batches.faults }));
  app.post('/_sandbox/batch-faults', async (request, reply) => {
    const problem = batches.plan(request.body);
    return problem === undefined ? { faults: batches.faults } : refuse(reply, problem);
  });
  app.delete('/_sandbox/batch-faults', async (_request, reply) => {
    batches.faults = [];
    return reply.code(204).send();
  });
}
