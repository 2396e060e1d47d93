import {
  type DueTokens,
  dueNow,
  endInstallation,
  type Installation,
  keepInstallation,
  type Pool,
  putOffTokens,
  renewTokens,
  takeDueTokens,
  tokensOf,
} from '#libs/event-store';
import { Counter, type Sealer } from '#libs/platform';
import { type GivenTokens, HubspotOauth, isRevoked, type OauthClient } from '#libs/vendors/hubspot';
import { z } from 'zod';

/** Where it is said what became of installations: never with a token. */
export interface Lines {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Tokens of an installation, open. */
export interface OpenTokens {
  state: 'active' | 'revoked' | 'uninstalled';
  accessToken: string;
  version: string;
  /** Left of the access token's life. */
  lifeMs: number;
  /** Left until it should be renewed. */
  freshMs: number;
}

/** Tokens are renewed when this share of their life is over: in the background, so that calls find fresh ones. */
const RENEWED_AT = 0.7;
/** Longer than the call for new ones: who has them in hand and ends without a word is followed by another then. */
const TAKEN_MS = 20_000;
const GRANT_LIMIT_MS = 10_000;
const FAILED_WAIT_MS = 5_000;
/** Where the app itself is refused (a wrong secret): a person must change something. */
const REFUSED_WAIT_MS = 60_000;

const renewals = new Counter('hubspot_token_renewals', 'Calls for a new access token of an installation, by outcome', [
  'outcome',
]);

/** What the tokens of an installation are sealed for: its place. */
export const HUBSPOT_TOKENS = (tenant: string): string => `hubspot/${tenant}/tokens`;

/** Customers' installations of our apps: their tokens stand sealed in the store, and are renewed by one replica at a time. */
export class Installations {
  private readonly clients: ReadonlyMap<string, HubspotOauth>;

  constructor(
    private readonly pool: () => Pool,
    private readonly sealer: Sealer,
    apps: readonly (OauthClient & { tenant: string })[],
    private readonly lines: Lines,
  ) {
    this.clients = new Map(apps.map((app) => [app.tenant, new HubspotOauth(app)]));
  }

  /** Keeps a new installation, in the place of any before. */
  async keep(
    installation: Pick<Installation, 'tenant' | 'portal' | 'app' | 'scopes'>,
    { lifeMs, ...tokens }: GivenTokens,
  ): Promise<void> {
    const sealed = await this.seal(installation.tenant, tokens);
    await keepInstallation(this.pool(), installation, { sealed, lifeMs, renewedAt: RENEWED_AT });
  }

  /** The tokens of a tenant as they are now; undefined where nobody has installed the app. */
  async find(tenant: string): Promise<OpenTokens | undefined> {
    const kept = await tokensOf(this.pool(), tenant);
    if (!kept) return undefined;
    const { sealed, ...rest } = kept;
    const accessToken = sealed === null ? '' : (await this.open(tenant, sealed)).accessToken;
    return { ...rest, accessToken };
  }

  /** Lets tokens of that version be renewed at once: HubSpot did not take them. */
  async distrust(tenant: string, version: string): Promise<void> {
    await dueNow(this.pool(), { tenant, version });
  }

  /** Renews a tenant's tokens where they are due and nobody else is at it; resolves to whether they are new. */
  async renew(tenant: string): Promise<boolean> {
    const [due] = await takeDueTokens(this.pool(), { tenant, forMs: TAKEN_MS });
    return due ? this.renewTaken(due) : false;
  }

  /** Renews those that are due longest, at most so many; resolves to how many were taken. */
  async renewDue(most: number): Promise<number> {
    const due = await takeDueTokens(this.pool(), { most, forMs: TAKEN_MS });
    await Promise.all(due.map((one) => this.renewTaken(one)));
    return due.length;
  }

  /** Takes the app out of a tenant's account and forgets its tokens; throws where HubSpot does not confirm it. */
  async uninstall(tenant: string): Promise<void> {
    const client = this.clients.get(tenant);
    // Nobody may have renewed it for a while.
    await this.renew(tenant);
    const tokens = await this.find(tenant);
    if (!client || tokens?.state !== 'active') throw new Error(`no app is installed for the tenant ${tenant}`);
    const answer = await client.uninstall(tokens.accessToken, AbortSignal.timeout(GRANT_LIMIT_MS));
    if (answer.outcome !== 'done') throw new Error(`HubSpot did not uninstall it: ${answer.code} ${answer.message}`);
    await endInstallation(this.pool(), { tenant }, 'uninstalled');
  }

  private async renewTaken(due: DueTokens): Promise<boolean> {
    const { tenant } = due;
    try {
      const client = this.clients.get(tenant);
      // Another replica may know it already.
      if (!client) return await this.putOff(due, 'unknown-tenant', REFUSED_WAIT_MS);
      const { refreshToken } = await this.open(tenant, due.sealed);
      const answer = await client.refresh(refreshToken, AbortSignal.timeout(GRANT_LIMIT_MS));
      if (answer.outcome !== 'done') {
        if (!isRevoked(answer)) {
          const wait = answer.outcome === 'stop' ? REFUSED_WAIT_MS : FAILED_WAIT_MS;
          return await this.putOff(due, answer.code, ('afterMs' in answer ? answer.afterMs : undefined) ?? wait);
        }
        renewals.add('revoked');
        if (await endInstallation(this.pool(), due, 'revoked'))
          this.lines.error({ tenant }, 'a customer took back the access of the app: what is owed there waits');
        return false;
      }
      const { lifeMs, ...tokens } = answer.value;
      const sealed = await this.seal(tenant, tokens);
      renewals.add('renewed');
      return await renewTokens(this.pool(), due, { sealed, lifeMs, renewedAt: RENEWED_AT, takenForMs: TAKEN_MS });
    } catch (err) {
      // The lease ends by itself, and another try begins.
      this.lines.warn({ err, tenant }, 'the tokens of an installation could not be renewed');
      renewals.add('failed');
      return false;
    }
  }

  private async putOff(due: DueTokens, code: string, afterMs: number): Promise<false> {
    renewals.add(code);
    this.lines.warn({ tenant: due.tenant, code }, 'HubSpot gave no new token for an installation: it is asked again');
    await putOffTokens(this.pool(), due, afterMs);
    return false;
  }

  private seal(tenant: string, tokens: Tokens): Promise<string> {
    return this.sealer.seal(JSON.stringify(tokens), HUBSPOT_TOKENS(tenant));
  }

  private async open(tenant: string, sealed: string): Promise<Tokens> {
    return tokensIn.parse(JSON.parse(await this.sealer.open(sealed, HUBSPOT_TOKENS(tenant))));
  }
}

const tokensIn = z.object({ accessToken: z.string(), refreshToken: z.string() });
type Tokens = z.infer<typeof tokensIn>;
