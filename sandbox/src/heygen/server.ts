import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { addControl, type Target } from '../frame/control.ts';
import { textOf } from '../frame/json.ts';
import type { Random } from '../frame/seeded-random.ts';
import { createFrame, isControl } from '../frame/server.ts';
import type { SettingsReader } from '../settings.ts';
import { addHeygenControl } from './control-routes.ts';
import { failed, invalid, namedError } from './errors.ts';
import { AssetLinks } from './renders/asset-links.ts';
import { IdempotencyKeys } from './renders/idempotency.ts';
import { RenderStore } from './renders/render-store.ts';
import { addSubmitRoutes } from './submit-routes.ts';
import { Templates } from './templates.ts';
import { addVideoRoutes } from './video-routes.ts';
import { CallbackSender } from './webhooks/callback-sender.ts';
import { addEndpointRoutes } from './webhooks/endpoint-routes.ts';

export interface HeygenOptions {
  apiKey: string;
  webhookSecret: string;
  renderMs: number;
  submitMs: number;
  retryScale: number;
  target?: Target;
  /** What links to videos begin with; the address it listens on by default. */
  publicUrl?: string;
  random: Random;
}

/** Reads the settings; undefined when any is missing or wrong. */
export function heygenFrom(settings: SettingsReader, random: Random): (() => FastifyInstance) | undefined {
  const options: HeygenOptions = {
    apiKey: settings.secret('HEYGEN_API_KEY'),
    webhookSecret: settings.secret('HEYGEN_WEBHOOK_SECRET'),
    renderMs: settings.number('RENDER_MS', 1500),
    submitMs: settings.number('SUBMIT_MS', 50),
    retryScale: settings.number('RETRY_SCALE', 1),
    target: settings.target(),
    publicUrl: settings.url('SANDBOX_PUBLIC_URL'),
    random,
  };
  return settings.faults.length > 0 ? undefined : () => createHeygen(options);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isOpen = (url: string): boolean => /^\/(assets|share|_sandbox)\b/.test(url);

export function createHeygen(options: HeygenOptions): FastifyInstance {
  const { random } = options;
  const frame = createFrame({
    namedError,
    notFound: () => failed('not_found', 'Not found'),
    unreadableBody: () => invalid('The body is not valid JSON', 'body'),
    crashed: () => failed('internal_error', 'Internal error'),
  });
  const { app } = frame;
  const origin = (): string => {
    if (options.publicUrl !== undefined) return options.publicUrl.replace(/\/$/, '');
    const address = app.server.address();
    return typeof address === 'object' && address ? `http://${shownHost(address.address)}:${address.port}` : '';
  };
  const store = new RenderStore(
    {
      renderMs: options.renderMs,
      submitMs: options.submitMs,
      concurrency: 10,
      walletUsd: 1000,
      renderPriceUsd: 0.5,
      videoSeconds: 12.5,
      urlLifeSeconds: 7 * 86_400,
      creditFailure: 'submit',
      quotaExceeded: false,
    },
    random,
    (render) => sender.tell(render),
  );
  const links = new AssetLinks(origin, () => store.settings.urlLifeSeconds);
  const sender = new CallbackSender(links, random, options.retryScale);
  const templates = new Templates();
  const keys = new IdempotencyKeys();

  const setTarget = (target: Target | undefined): void => {
    sender.endpoints.delete('configured');
    if (target === undefined) return;
    sender.endpoints.set('configured', {
      endpointId: 'configured',
      ...target,
      secret: options.webhookSecret,
      events: [],
      createdAt: new Date().toISOString(),
    });
  };
  setTarget(options.target);

  app.addHook('onRequest', async (request, reply) => {
    if (!isControl(request)) void reply.header('X-Request-Id', random.uuid());
  });
  app.addHook('preHandler', async (request) => {
    if (isControl(request) || isOpen(request.url)) return;
    const given = textOf(request.headers['x-api-key']) ?? '';
    if (!timingSafeEqual(digest(given), digest(options.apiKey)))
      throw failed('unauthorized', 'The API key is missing or wrong');
  });
  app.addHook('onClose', async () => {
    store.stop();
    sender.stop();
  });
  addSubmitRoutes(app, { templates, store, sender, links, keys });
  addVideoRoutes(app, store, links);
  addEndpointRoutes(app, sender, random);
  addHeygenControl(app, { store, sender, templates, keys });
  addControl({
    vendor: 'heygen',
    frame,
    courier: sender.courier,
    setTarget,
    state: () => ({
      endpoints: [...sender.endpoints.values()].map(({ endpointId, url, deliverTo }) => ({
        endpointId,
        url,
        deliverTo,
      })),
      templates: [...templates.all.keys()],
      renders: store.renders.size,
      running: store.running(),
      billed: store.billing()['count'],
      deliveries: sender.courier.load(),
      callbacks: sender.switches,
      settings: store.settings,
      faults: frame.faults.list(),
    }),
  });
  return app;
}

const shownHost = (address: string): string =>
  address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
