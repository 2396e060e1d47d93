import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, TimelineForm } from '#libs/contracts';
import { sorted } from './answering';
import { NOT_REFRESHED, NoToken, TOKEN_REFUSALS } from './errors';
import { HubspotClient } from './hubspot.client';
import { type Calls, hubspotLimits, type HubspotPlan, type HubspotTier, planOf } from './limits';
import { type Rates, Sdk, type SdkSettings } from './sdk';
import { tokenInfo, type TokenInfo } from './token-info';
import { byRefreshToken, GrantedTokens, type TokenSource } from './tokens';

/** A tenant's HubSpot account, as it was declared; without a tenant it is everyone's that has no other. */
export interface HubspotAccount {
  tenant?: string;
  baseUrl?: string;
  token: TokenSource;
  /** Our own app there; asked of HubSpot where it is not declared. */
  appId?: string;
  plan: HubspotPlan | HubspotTier;
  /** How it is told what recipes say in timelines; by notes unless said. */
  timeline?: TimelineForm;
}

/** Where it is told what HubSpot says of an account beside its answers. */
export interface HubspotWatch {
  rates?(tenant: string, rates: Rates): void;
  /** Told of every call: false where HubSpot does not take the account's token. */
  token?(tenant: string, isTaken: boolean): void;
}

const WAIT_MS = 60_000;
const ASK_LIMIT_MS = 10_000;
/** Shorter than the deadline of any call. */
const TOKEN_WAIT_MS = 4_000;
const EVERYONE = 'default';

/** The accounts of all tenants, each by a client, a token and limits of its own. */
export class HubspotAccounts {
  private readonly opened: Map<string | undefined, OpenAccount>;
  private readonly stopping = new AbortController();
  private readonly unknown = new HubspotClient({ accessToken: () => Promise.reject(new NoToken(NOT_DECLARED)) });

  constructor(declared: readonly HubspotAccount[], watch: HubspotWatch = {}) {
    this.opened = new Map(declared.map((account) => [account.tenant, new OpenAccount(account, watch)]));
  }

  /** A tenant's client; every call of one that is not declared is refused unprocessed, and waits until it is. */
  of(tenant: string): HubspotClient {
    return this.find(tenant)?.client ?? this.unknown;
  }

  /** The limits on an effect that makes at most so many calls, of each account. */
  limits(first: Calls | number = 1, again: Calls | number = first) {
    const plans = [...this.opened.values()].map(({ account: { tenant }, plan }) => ({ ...plan, tenant }));
    return hubspotLimits(plans, first, again);
  }

  /** The tenants that have an account: one alone where none is declared. */
  get tenants(): string[] {
    return [...this.opened.values()].map(({ name }) => name);
  }

  /** Our own app in a tenant's account; undefined for as long as nobody has said. */
  readonly appId = (tenant: string): string | undefined => this.find(tenant)?.appId;

  /** Whether there is one account, for whoever the tenant is. */
  get isEveryones(): boolean {
    return this.opened.has(undefined);
  }

  /** How a tenant's account is told what recipes say in timelines. */
  readonly timeline = (tenant: string): TimelineForm => this.find(tenant)?.account.timeline ?? 'notes';

  /** What HubSpot says of a tenant's token: whose it is, and what it may do. */
  async tokenInfo(tenant: string, signal: AbortSignal): Promise<Answer<TokenInfo>> {
    return this.find(tenant)?.tokenInfo(signal) ?? NOT_DECLARED;
  }

  /** The limits that a tenant's account is taken to have. */
  readonly plan = (tenant: string): HubspotPlan | undefined => this.find(tenant)?.plan;

  /**
   * Asks HubSpot for the apps that are not declared, and again and again for those that it does not tell. Resolves when
   * each was asked for once: one account that does not answer keeps no other from its start.
   */
  async start(everyMs = WAIT_MS): Promise<void> {
    await this.learnApps();
    void this.lookOn(everyMs);
  }

  /** Asks for nothing more. */
  stop(): void {
    this.stopping.abort();
  }

  private async learnApps(): Promise<void> {
    await Promise.all([...this.opened.values()].map((one) => one.learnApp(AbortSignal.timeout(ASK_LIMIT_MS))));
  }

  private async lookOn(everyMs: number): Promise<void> {
    const { signal } = this.stopping;
    while ([...this.opened.values()].some(({ appId }) => appId === undefined)) {
      await pause(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.learnApps();
    }
  }

  private find(tenant: string): OpenAccount | undefined {
    return this.opened.get(tenant) ?? this.opened.get(undefined);
  }
}

const NOT_DECLARED = {
  outcome: 'retry',
  code: 'tenant-unknown',
  message: 'no account is declared for the tenant',
  refused: true,
  afterMs: WAIT_MS,
} as const;

const NO_SECRET = {
  outcome: 'retry',
  code: 'no-token',
  message: 'the token cannot be read',
  refused: true,
  afterMs: WAIT_MS,
} as const;

/** A call that waits for its token beyond its own deadline would count as one that may have been made. */
async function inTime(token: Promise<string>): Promise<string> {
  const late = new AbortController();
  const tooLate = pause(TOKEN_WAIT_MS, undefined, { signal: late.signal }).then(() => {
    throw new NoToken(NOT_YET);
  });
  // Whoever gives it up leaves nothing behind that could reject unheard.
  token.catch(() => undefined);
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([token, tooLate]);
  } finally {
    late.abort();
  }
}

function grantedBy(token: TokenSource, baseUrl: string | undefined) {
  if (typeof token === 'function') return undefined;
  return 'refreshToken' in token ? new GrantedTokens(byRefreshToken(token), baseUrl) : token;
}

const NOT_YET = {
  outcome: 'retry',
  code: NOT_REFRESHED,
  message: 'HubSpot gave no access token in time',
  refused: true,
  afterMs: 1_000,
} as const;

class OpenAccount {
  readonly client: HubspotClient;
  readonly name: string;
  readonly plan: HubspotPlan;
  appId: string | undefined;
  private readonly oauth: Pick<GrantedTokens, 'token' | 'forget'> | undefined;
  private readonly settings: SdkSettings;

  constructor(
    readonly account: HubspotAccount,
    private readonly watch: HubspotWatch,
  ) {
    const { tenant, baseUrl, token, appId, plan } = account;
    this.plan = 'tier' in plan ? planOf(plan) : plan;
    this.name = tenant ?? EVERYONE;
    this.appId = appId;
    this.oauth = grantedBy(token, baseUrl);
    this.settings = {
      baseUrl,
      accessToken: () => this.token(),
      onRates: (rates) => watch.rates?.(this.name, rates),
      onToken: (isTaken) => {
        if (!isTaken) this.oauth?.forget();
        watch.token?.(this.name, isTaken);
      },
    };
    this.client = new HubspotClient(this.settings);
  }

  private async token(): Promise<string> {
    try {
      return await (this.oauth ? inTime(this.oauth.token()) : this.declaredToken());
    } catch (error) {
      const refusal = error instanceof NoToken ? error.refusal : NO_SECRET;
      if (TOKEN_REFUSALS.includes(refusal.code)) this.watch.token?.(this.name, false);
      throw error instanceof NoToken ? error : new NoToken(refusal);
    }
  }

  private declaredToken(): string {
    const { token } = this.account;
    if (typeof token !== 'function') throw new NoToken(NO_SECRET);
    return token();
  }

  async learnApp(signal: AbortSignal): Promise<void> {
    if (this.appId !== undefined) return;
    const answer = await this.tokenInfo(signal);
    if (answer.outcome === 'done') this.appId = answer.value.appId;
  }

  tokenInfo(signal: AbortSignal): Promise<Answer<TokenInfo>> {
    const { token } = this.account;
    const app = typeof token === 'function' ? undefined : token;
    return sorted(signal, async () => tokenInfo(new Sdk(this.settings), await this.token(), app, signal));
  }
}
