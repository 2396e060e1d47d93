import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Installations } from '#libs/accounts';
import type { OnApplicationShutdown } from '@nestjs/common';
import { StoreUnavailable } from '#libs/event-store';
import { Counter, type InstallableApp, type Logger, SealBroken, type Sealer } from '#libs/platform';
import type { authorizeUrl, GivenTokens, HubspotOauth, TokenInfo } from '#libs/vendors/hubspot';
import { z } from 'zod';
import { Refusal } from './refusal';

/** How long a person may take to agree. */
export const CONSENT_MS = 10 * 60_000;

const CALL_LIMIT_MS = 10_000;
const COOKIE = 'install-cookie';

const outcomes = new Counter('gateway_installations', 'Installations of an app that came back, by outcome', [
  'outcome',
]);

/** What the door needs to know. */
export interface InstallSettings {
  apps: readonly InstallableApp[];
  /** Under which people reach the gateway. */
  publicUrl: string;
  /** Where HubSpot lets people agree. */
  appUrl: string;
  sealer: Sealer;
  installations: Pick<Installations, 'keep'>;
  hubspot: { authorizeUrl: typeof authorizeUrl; oauthOf: (app: InstallableApp) => HubspotOauth };
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Called when nobody will be let in any more. */
  close: () => Promise<void>;
}

/** What HubSpot's answer to a person brings back. */
export interface CameBack {
  code?: string;
  state?: string;
  error?: string;
}

/** An installation that was kept. */
export interface Installed {
  tenant: string;
  portal: number;
  app: string;
  /** What was asked for and is not granted. */
  missing: string[];
}

/**
 * Lets customers install a tenant's app. What is begun stands in the person's own browser, sealed, and nowhere else: only
 * there can it be ended, and within ten minutes. Tokens are kept once everything is right; else they are given back.
 */
export class InstallDoor implements OnApplicationShutdown {
  constructor(private readonly settings: InstallSettings) {}

  /** Whether browsers reach this door by TLS. */
  get isSecure(): boolean {
    return this.settings.publicUrl.startsWith('https:');
  }

  onApplicationShutdown(): Promise<void> {
    return this.settings.close();
  }

  /** Where to send a person who installs the app of a tenant, and what their browser keeps; throws a {@link Refusal}. */
  async begin(tenant: string | undefined): Promise<{ location: string; cookie: string }> {
    const app = this.appOf(tenant);
    const [state, verifier] = [randomBytes(24), randomBytes(32)].map((bytes) => bytes.toString('base64url')) as [
      string,
      string,
    ];
    const begun: Begun = { tenant: app.tenant, state, verifier, until: Date.now() + CONSENT_MS };
    const cookie = await this.settings.sealer.seal(JSON.stringify(begun), COOKIE);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const { clientId, scopes, optionalScopes } = app;
    const { redirectUri } = this;
    const asked = { clientId, redirectUri, scopes, optionalScopes, state, challenge };
    return {
      location: this.settings.hubspot.authorizeUrl(this.settings.appUrl, asked),
      cookie: Buffer.from(cookie, 'utf8').toString('base64url'),
    };
  }

  /** Ends what this browser has begun; throws a {@link Refusal}, and then nothing is kept. */
  async finish(back: CameBack, cookie: string | undefined): Promise<Installed> {
    try {
      const installed = await this.install(back, cookie);
      outcomes.add('installed');
      const { tenant, portal, missing } = installed;
      this.settings.logger.info({ tenant, portal, missing }, 'a customer has installed the app');
      return installed;
    } catch (error) {
      if (error instanceof Refusal) {
        outcomes.add(error.code);
        this.settings.logger.warn({ code: error.code }, 'an installation was refused');
      }
      throw error;
    }
  }

  private async install(back: CameBack, cookie: string | undefined): Promise<Installed> {
    const begun = await this.begunBy(cookie);
    if (!begun || !isSame(back.state ?? '', begun.state)) throw new Refusal('state-mismatch');
    const app = this.appOf(begun.tenant);
    if (begun.until < Date.now()) throw new Refusal('too-late', { tenant: app.tenant });
    if (back.error !== undefined) throw new Refusal('declined', { tenant: app.tenant });
    if (!back.code) throw new Refusal('state-mismatch');
    const oauth = this.settings.hubspot.oauthOf(app);
    const given = await oauth.exchange(
      { code: back.code, redirectUri: this.redirectUri, verifier: begun.verifier },
      soon(),
    );
    if (given.outcome === 'stop') throw new Refusal('code-refused', { tenant: app.tenant, says: given.code });
    if (given.outcome !== 'done') throw new Refusal('hubspot-away', { tenant: app.tenant });
    try {
      return await this.keep(app, given.value, await about(oauth, given.value, app));
    } catch (error) {
      // Nobody will ever use it: it should not lie about anywhere.
      await oauth.revoke(given.value.refreshToken, soon());
      if (error instanceof StoreUnavailable) throw new Refusal('store-away', { tenant: app.tenant });
      throw error;
    }
  }

  private async keep(app: InstallableApp, given: GivenTokens, about: TokenInfo): Promise<Installed> {
    const { tenant, portals, appId = about.appId } = app;
    if (about.appId !== appId) throw new Refusal('other-app', { tenant });
    const { portalId: portal, scopes } = about;
    if (portal === undefined || !portals.includes(portal)) {
      throw new Refusal('portal-not-allowed', { tenant, portal: String(portal ?? 'unknown') });
    }
    await this.settings.installations.keep({ tenant, portal, app: appId, scopes: [...scopes] }, given);
    const missing = [...app.scopes, ...app.optionalScopes].filter((scope) => !scopes.includes(scope));
    return { tenant, portal, app: appId, missing };
  }

  private appOf(tenant: string | undefined): InstallableApp {
    const { apps } = this.settings;
    const [only] = apps;
    const app = tenant === undefined && apps.length === 1 ? only : apps.find((one) => one.tenant === tenant);
    if (!app) throw new Refusal('no-such-tenant');
    return app;
  }

  private async begunBy(cookie = ''): Promise<Begun | undefined> {
    try {
      const text = await this.settings.sealer.open(Buffer.from(cookie, 'base64url').toString('utf8'), COOKIE);
      return begunIn.parse(JSON.parse(text));
    } catch (error) {
      if (error instanceof SealBroken) return undefined;
      throw error;
    }
  }

  private get redirectUri(): string {
    return `${this.settings.publicUrl}/oauth/hubspot/callback`;
  }
}

const begunIn = z.object({ tenant: z.string(), state: z.string(), verifier: z.string(), until: z.number() });
type Begun = z.infer<typeof begunIn>;

async function about(oauth: HubspotOauth, given: GivenTokens, { tenant }: InstallableApp): Promise<TokenInfo> {
  const answer = await oauth.describe(given.accessToken, soon());
  if (answer.outcome === 'done') return answer.value;
  throw new Refusal('hubspot-away', { tenant });
}

const soon = () => AbortSignal.timeout(CALL_LIMIT_MS);

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
