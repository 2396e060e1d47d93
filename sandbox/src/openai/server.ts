import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { addControl, refuse } from '../frame/control.ts';
import { objectOf } from '../frame/json.ts';
import type { Random } from '../frame/seeded-random.ts';
import { createFrame, isControl } from '../frame/server.ts';
import { adopt } from '../frame/switches.ts';
import type { SettingsReader } from '../settings.ts';
import { addBatchControl, addBatchRoutes } from './batch-routes.ts';
import { BatchStore } from './batches.ts';
import { failed, invalid, namedError } from './errors.ts';
import { addFileRoutes, FileStore } from './files.ts';
import { Ledger } from './ledger.ts';
import { addModelRoutes } from './routes.ts';

export interface OpenaiOptions {
  apiKey: string;
  latencyMs: number;
  random: Random;
}

/** Reads the settings; undefined when any is missing or wrong. */
export function openaiFrom(settings: SettingsReader, random: Random): (() => FastifyInstance) | undefined {
  const options = {
    apiKey: settings.secret('OPENAI_API_KEY'),
    latencyMs: settings.number('LATENCY_MS', 150),
    random,
  };
  return settings.faults.length > 0 ? undefined : () => createOpenai(options);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export function createOpenai({ apiKey, latencyMs, random }: OpenaiOptions): FastifyInstance {
  const frame = createFrame({
    namedError,
    notFound: (request) => failed(404, `Invalid URL (${request.method} ${request.url.split('?')[0]})`),
    unreadableBody: () => invalid('We could not parse the JSON body of your request.', null),
    crashed: () => failed(500, 'The server had an error.', { type: 'server_error', code: 'server_error' }),
  });
  const { app } = frame;
  const ledger = new Ledger(latencyMs);

  app.addHook('onRequest', async (request, reply) => {
    if (!isControl(request)) void reply.header('x-request-id', `req_${random.hex(32)}`);
  });
  app.addHook('preHandler', async (request) => {
    if (isControl(request)) return;
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!timingSafeEqual(digest(given), digest(apiKey)))
      throw failed(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
  });
  const files = new FileStore(random);
  const batches = new BatchStore({ files, ledger, random });
  addModelRoutes(app, ledger, random);
  addFileRoutes(app, files);
  addBatchRoutes(app, batches);
  addOpenaiControl(app, ledger);
  addBatchControl(app, batches);
  app.get('/_sandbox/files', async () => ({
    files: files.all().map(({ bytes, ...file }) => ({ ...file, bytes: bytes.length })),
  }));
  addControl({
    vendor: 'openai',
    frame,
    state: () => {
      const { entries, ...billing } = ledger.billing();
      return { billing, planned: ledger.planned, settings: ledger.settings, faults: frame.faults.list() };
    },
  });
  return app;
}

function addOpenaiControl(app: FastifyInstance, ledger: Ledger): void {
  app.get('/_sandbox/billing', async () => ledger.billing());
  app.get('/_sandbox/answers', async () => ({ answers: ledger.planned }));
  app.post('/_sandbox/answers', async (request, reply) => {
    const problem = ledger.plan(request.body);
    return problem === undefined ? { answers: ledger.planned } : refuse(reply, problem);
  });
  app.delete('/_sandbox/answers', async (_request, reply) => {
    ledger.planned = [];
    return reply.code(204).send();
  });
  app.get('/_sandbox/settings', async () => ledger.settings);
  app.put('/_sandbox/settings', async (request, reply) => {
    const problem = adopt(ledger.settings, objectOf(request.body));
    return problem === undefined ? ledger.settings : refuse(reply, problem);
  });
}
