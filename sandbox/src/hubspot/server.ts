import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { addControl, type Target } from '../frame/control.ts';
import type { Random } from '../frame/seeded-random.ts';
import { createFrame, isControl, VendorError } from '../frame/server.ts';
import type { SettingsReader } from '../settings.ts';
import { addHubspotControl } from './control-routes.ts';
import { Crm } from './crm/crm.ts';
import { invalid, namedError, unknownRoute } from './errors.ts';
import { RateLimit } from './rate-limit.ts';
import { FetchProxy } from './record-page/fetch-proxy.ts';
import { addRecordPages } from './record-page/record-page.ts';
import { addAccountRoutes } from './routes/account-routes.ts';
import { addAssociationRoutes } from './routes/association-routes.ts';
import { Tokens } from './routes/auth.ts';
import { addBatchRoutes } from './routes/batch-routes.ts';
import { addConsentRoutes, Consents } from './routes/consent-routes.ts';
import { addEventRoutes, AppEvents } from './routes/event-routes.ts';
import { Journal } from './journal/journal.ts';
import { addJournalRoutes, FILES } from './routes/journal-routes.ts';
import { addListRoutes } from './routes/list-routes.ts';
import { addOauthRoutes } from './routes/oauth-routes.ts';
import { addObjectRoutes } from './routes/object-routes.ts';
import { addPropertyRoutes } from './routes/property-routes.ts';
import { addSchemaRoutes } from './routes/schema-routes.ts';
import { addSequenceRoutes, Sequences } from './routes/sequence-routes.ts';
import { addSubscriptionRoutes, isAppWebhooks } from './routes/subscription-routes.ts';
import { Workflows } from './crm/workflows.ts';
import { WebhookEmitter } from './webhooks/webhook-emitter.ts';

export interface HubspotOptions {
  clientSecret: string;
  appId: number;
  accessToken: string;
  portalId: number;
  /** Of the account that the app was made in; only legacy public apps have one. */
  developerKey?: string;
  retryScale: number;
  target?: Target;
  /** The folder of the record page's bundles, the app's card among them. */
  recordPage?: string;
  random: Random;
}

/** Reads the settings; undefined when any is missing or wrong. */
export function hubspotFrom(settings: SettingsReader, random: Random): (() => FastifyInstance) | undefined {
  const options: HubspotOptions = {
    clientSecret: settings.secret('HUBSPOT_CLIENT_SECRET'),
    appId: settings.positiveInteger('HUBSPOT_APP_ID'),
    accessToken: settings.secret('HUBSPOT_ACCESS_TOKEN'),
    portalId: settings.positiveInteger('HUBSPOT_PORTAL_ID'),
    developerKey: settings.optional('HUBSPOT_DEVELOPER_KEY'),
    retryScale: settings.number('RETRY_SCALE', 1),
    target: settings.target(),
    recordPage: settings.optional('RECORD_PAGE_DIR'),
    random,
  };
  return settings.faults.length > 0 ? undefined : () => createHubspot(options);
}

/** Calls that carry no bearer token: about tokens, and about an app's webhooks. */
const hasOwnKey = (url: string): boolean => url.startsWith('/oauth') || isAppWebhooks(url);

export function createHubspot(options: HubspotOptions): FastifyInstance {
  const { appId, portalId, clientSecret, random } = options;
  const switches = { htmlNotFound: true, clockSkewMs: 0 };
  const frame = createFrame({
    namedError,
    notFound: () => unknownRoute(switches.htmlNotFound),
    unreadableBody: () => invalid('Invalid input JSON'),
    crashed: () => new VendorError(500, { status: 'error', message: 'internal error', correlationId: randomUUID() }),
  });
  const { app } = frame;
  const emitter = new WebhookEmitter(options);
  const journal = new Journal(options);
  const crm = new Crm(portalId, random, (changes) => {
    emitter.announce(changes);
    journal.note(changes);
    workflows.follow(changes);
  });
  const workflows = new Workflows(crm);
  const tokens = new Tokens(appId, options.accessToken, portalId, random);
  const rateLimit = new RateLimit();
  const consents = new Consents();
  const sequences = new Sequences();

  app.addHook('preHandler', async (request, reply) => {
    const isOpen = hasOwnKey(request.url) || request.url.startsWith(FILES);
    if (isControl(request) || isOpen || request.is404) return;
    const token = tokens.admit(request);
    if (request.call) request.call.app = String(appId);
    // What an app asks for itself counts in no account.
    if (!token.isClients) rateLimit.admit(request, reply, token);
  });
  app.addHook('onClose', async () => {
    emitter.stop();
    journal.stop();
  });
  app.addHook('onSend', async (_request, reply) => {
    void reply.header('date', new Date(Date.now() + switches.clockSkewMs).toUTCString());
  });
  addObjectRoutes(app, crm, tokens.callerOf);
  addBatchRoutes(app, crm, tokens.callerOf);
  addAssociationRoutes(app, crm, tokens.callerOf);
  addPropertyRoutes(app, crm);
  addListRoutes(app, crm);
  addConsentRoutes(app, consents);
  addSchemaRoutes(app, crm);
  addSequenceRoutes(app, crm, sequences);
  addEventRoutes(app, new AppEvents());
  addSubscriptionRoutes(app, emitter, { appId, developerKey: options.developerKey });
  addJournalRoutes(app, journal);
  addAccountRoutes(app, { tokens, owners: crm.owners });
  addOauthRoutes(app, { clientSecret, tokens });
  addHubspotControl(app, { crm, emitter, rateLimit, tokens, consents, sequences, switches, workflows });
  const user = crm.owners.first;
  const proxy = new FetchProxy({
    ...{ clientSecret, appId, portalId },
    user: { id: user.userId, email: user.email },
    target: () => emitter.target,
  });
  addRecordPages(app, { crm, appId, user, proxy, bundles: options.recordPage });
  addControl({
    vendor: 'hubspot',
    frame,
    courier: emitter.courier,
    setTarget: (target) => {
      emitter.target = target;
    },
    state: () => ({
      portalId,
      appId,
      target: emitter.target ?? null,
      records: crm.records.counts(),
      eventsCollected: emitter.waiting,
      journal: { files: journal.files.length, eventsCollected: journal.waiting },
      deliveries: emitter.courier.load(),
      webhooks: emitter.switches,
      rateLimit: rateLimit.limits,
      refused: rateLimit.refused,
      faults: frame.faults.list(),
    }),
  });
  return app;
}
