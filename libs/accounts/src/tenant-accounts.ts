import { Loop, type Pool } from '#libs/event-store';
import {
  accountsOf,
  accountWatch,
  type Environment,
  type InstallableApp,
  installableApps,
  sealerOf,
} from '#libs/platform';
import { HubspotAccounts } from '#libs/vendors/hubspot';
import { Installations, type Lines } from './installations';
import { SharedToken } from './shared-token';

/** The settings of accounts, as every app has them that speaks to HubSpot. */
export type AccountSettings = Parameters<typeof accountsOf>[0] & { SEALING_KEY?: readonly Buffer[] };

const LOOK_EVERY_MS = 1_000;
/** At once: each is a call that waits for HubSpot. */
const AT_ONCE = 20;

/** The HubSpot accounts of all tenants: those that are declared with a token, and those whose customers install our app. */
export class TenantAccounts {
  readonly hubspot: HubspotAccounts;
  /** Undefined where no tenant's app is installed by customers. */
  readonly installations: Installations | undefined;
  private readonly clientSecrets: ReadonlyMap<string | undefined, () => string>;
  private pool: Pool | undefined;
  private readonly renewal: Loop | undefined;

  /**
   * Throws a `ConfigError` with all that is wrong with the settings. `renews`: whether tokens are renewed in the
   * background, for everyone; an app that does not renews only what it finds due when it needs it.
   */
  constructor(config: AccountSettings, env: Environment, lines: Lines, { renews = false } = {}) {
    const apps = installableApps(config, env);
    this.installations = apps.length > 0 ? this.opened(config, apps, lines) : undefined;
    const declared = accountsOf(config, env).map(({ token, ...account }) => ({
      ...account,
      token: typeof token !== 'function' && 'isInstalled' in token ? this.shared(account.tenant ?? '', token) : token,
    }));
    this.clientSecrets = new Map(
      declared.flatMap(({ tenant, token }) => (typeof token === 'function' ? [] : [[tenant, token.clientSecret]])),
    );
    this.hubspot = new HubspotAccounts(declared, accountWatch(lines));
    const { installations } = this;
    if (!renews || !installations) return;
    const onError = (err: unknown) => lines.warn({ err }, 'the tokens of installations are not renewed for now');
    const step = async () => (await installations.renewDue(AT_ONCE)) === AT_ONCE;
    this.renewal = new Loop('tokens of installations', LOOK_EVERY_MS, step, onError);
  }

  /** Resolves when HubSpot was asked once for the apps that are not declared. */
  async start(pool: Pool): Promise<void> {
    this.pool = pool;
    this.renewal?.start();
    await this.hubspot.start();
  }

  /** Reads tokens through this pool, without learning or renewing anything in the background. */
  readFrom(pool: Pool): this {
    this.pool = pool;
    return this;
  }

  /** The client secret of a tenant's app; undefined where its token stands by itself. */
  clientSecretOf(tenant: string): string | undefined {
    return this.clientSecrets.get(tenant)?.();
  }

  async stop(): Promise<void> {
    this.hubspot.stop();
    await this.renewal?.stop();
  }

  private opened({ SEALING_KEY }: AccountSettings, apps: readonly InstallableApp[], lines: Lines): Installations {
    return new Installations(() => this.poolNow(), sealerOf(SEALING_KEY), apps, lines);
  }

  private shared(tenant: string, { clientId, clientSecret }: { clientId: string; clientSecret: () => string }) {
    const shared = new SharedToken(() => this.installationsNow(), tenant);
    return { clientId, clientSecret, token: shared.token, forget: shared.forget };
  }

  private installationsNow(): Installations {
    if (!this.installations) throw new Error('no tenant has an app that customers install');
    return this.installations;
  }

  private poolNow(): Pool {
    if (!this.pool) throw new Error('the accounts were not started');
    return this.pool;
  }
}
