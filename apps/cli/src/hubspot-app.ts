import type { Needs, SubscriptionNeed } from '#libs/recipes';
import { z } from 'zod';
import { hubspotDoor } from './doctor/door';

/** What a project app needs to know beside its recipes. */
export interface AppOptions {
  /** The gateway's public address: webhooks come in below it, and the card asks there. */
  gateway: string;
  /** Where an installation by OAuth comes back to; without it the app has a token of its own for one account. */
  redirectUrl?: string;
}

/** The files of a project app that say what it is, by their path below its folder. */
export const appFiles = [
  'hsproject.json',
  'src/app/app-hsmeta.json',
  'src/app/webhooks/webhooks-hsmeta.json',
  'src/app/cards/record-card-hsmeta.json',
] as const;

export type AppFile = (typeof appFiles)[number];

const fields = z.record(z.string(), z.unknown());
const urls = z.looseObject({ fetch: z.array(z.string()).default([]) }).prefault({});
const app = z.looseObject({
  config: z.looseObject({ auth: fields.default({}), permittedUrls: urls }).prefault({}),
});
const settings = z.looseObject({ targetUrl: z.string().optional() }).prefault({});
const hooks = z.looseObject({ config: z.looseObject({ settings }).prefault({}) });
const card = z.looseObject({ config: fields.default({}) });

/**
 * The project of a HubSpot app that asks for exactly these scopes and webhooks, and has the card. Of a project that is
 * there already only those, the target and the gateway's own permitted address are changed: its uid, which is what HubSpot knows the app by, and whatever else was added stay.
 * Throws a ZodError where what is there is no project.
 */
export function hubspotApp(
  { scopes, subscriptions }: Needs,
  { gateway, redirectUrl }: AppOptions,
  present: Partial<Record<AppFile, unknown>> = {},
): Record<AppFile, object> {
  const former = app.parse(present['src/app/app-hsmeta.json'] ?? {});
  const formerHooks = hooks.parse(present['src/app/webhooks/webhooks-hsmeta.json'] ?? {});
  const auth = { type: 'static', ...former.config.auth, ...(redirectUrl === undefined ? {} : byOauth(redirectUrl)) };
  const asked = scopes.map(({ scope }) => scope);
  return {
    'hsproject.json': {
      name: 'refrain',
      srcDir: 'src',
      platformVersion: '2026.09',
      ...fields.parse(present['hsproject.json'] ?? {}),
    },
    'src/app/app-hsmeta.json': {
      uid: 'refrain',
      type: 'app',
      ...former,
      config: {
        name: 'Refrain',
        description: 'Works by recipes: follows changes of the CRM, and writes back what came of them.',
        distribution: 'private',
        ...former.config,
        auth: {
          ...auth,
          requiredScopes: auth.type === 'oauth' ? ['oauth', ...asked] : asked,
          optionalScopes: former.config.auth['optionalScopes'] ?? [],
          conditionallyRequiredScopes: former.config.auth['conditionallyRequiredScopes'] ?? [],
        },
        permittedUrls: {
          ...{ iframe: [], img: [] },
          ...former.config.permittedUrls,
          fetch: permitted(former.config.permittedUrls.fetch, formerHooks.config.settings.targetUrl, gateway),
        },
      },
    },
    'src/app/webhooks/webhooks-hsmeta.json': {
      uid: 'refrain_webhooks',
      type: 'webhooks',
      ...formerHooks,
      config: {
        ...formerHooks.config,
        settings: { maxConcurrentRequests: 10, ...formerHooks.config.settings, targetUrl: hubspotDoor(gateway) },
        subscriptions: subscriptionsOf(subscriptions),
      },
    },
    'src/app/cards/record-card-hsmeta.json': cardOf(present['src/app/cards/record-card-hsmeta.json']),
  };
}

function cardOf(present: unknown = {}): object {
  const former = card.parse(present);
  return {
    uid: 'refrain_record_card',
    type: 'card',
    ...former,
    config: {
      name: 'Refrain',
      description: 'Videos, AI assessments and data of other systems that recipes brought about for the record.',
      location: 'crm.record.tab',
      entrypoint: '/app/cards/record-card.tsx',
      objectTypes: ['contacts', 'companies', 'deals'],
      ...former.config,
    },
  };
}

/** Where the app's cards may ask: what others listed, and the gateway in the place of where it was before. */
function permitted(listed: readonly string[], formerTarget: string | undefined, gateway: string): string[] {
  const before = formerTarget !== undefined && URL.canParse(formerTarget) ? new URL(formerTarget).origin : undefined;
  const { origin } = new URL(gateway);
  return [...new Set([...listed.filter((url) => url !== before), origin])];
}

const byOauth = (redirectUrl: string) => ({ type: 'oauth', redirectUrls: [redirectUrl] });

// What concerns the whole account has no form for any type of record; of the rest the classic form is never asked for
// beside the one for any type: each change would come twice.
function subscriptionsOf(needs: readonly SubscriptionNeed[]) {
  const isOfHub = ({ object, change }: SubscriptionNeed) => change === 'privacyDeletion' || object === 'conversation';
  return {
    crmObjects: needs
      .filter((need) => !isOfHub(need))
      .map(({ object, change, property }) => ({
        subscriptionType: `object.${change}`,
        objectType: object,
        ...(property === undefined ? {} : { propertyName: property }),
        active: true,
      })),
    legacyCrmObjects: [],
    hubEvents: needs
      .filter(isOfHub)
      .map(({ object, change }) => ({ subscriptionType: `${object}.${change}`, active: true })),
  };
}

/** A file as it is written. */
export const appText = (content: object): string => `${JSON.stringify(content, null, 2)}\n`;
