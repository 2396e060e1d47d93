import { setTimeout as pause } from 'node:timers/promises';
import { NOT_INSTALLED, NOT_REFRESHED, NoToken } from '#libs/vendors/hubspot';
import type { Installations, OpenTokens } from './installations';

const LOOK_EVERY_MS = 250;
/** As long as an access token is got for at most: then the call that waits for it is put off. */
const LOOK_FOR_MS = 10_000;
const INSTALL_WAIT_MS = 15_000;
const REVOKED_WAIT_MS = 60_000;
const FAILED_WAIT_MS = 5_000;
/** A token that ends sooner is of no use: the call might arrive after it. */
const LEAST_LIFE_MS = 2_000;

interface Current {
  token: string;
  version: string;
  readAgainAt: number;
  endsAt: number;
}

/**
 * The access token of one tenant's installation, as all replicas share it. It is read anew when somebody should have renewed
 * it; where nobody has, the first who finds it due does. One that HubSpot did not take is renewed too.
 */
export class SharedToken {
  private current: Current | undefined;
  private reading: Promise<string> | undefined;
  private distrusted: Promise<void> | undefined;

  constructor(
    private readonly installations: () => Installations,
    private readonly tenant: string,
  ) {}

  /** Rejects with {@link NoToken} where there is none. */
  readonly token = async (): Promise<string> => {
    const { current } = this;
    if (current && performance.now() < current.readAgainAt) return current.token;
    return (this.reading ??= this.read().finally(() => (this.reading = undefined)));
  };

  /** Says that HubSpot did not take the token that was given last. */
  readonly forget = (): void => {
    const { current } = this;
    this.current = undefined;
    if (!current) return;
    // What could not be noted is noted with the next refusal.
    this.distrusted = this.installations()
      .distrust(this.tenant, current.version)
      .catch(() => undefined);
  };

  private async read(): Promise<string> {
    await this.distrusted;
    const until = performance.now() + LOOK_FOR_MS;
    try {
      for (;;) {
        const token = await this.look();
        if (token !== undefined) return token;
        if (performance.now() > until) throw new NoToken(NOT_RENEWED);
        await pause(LOOK_EVERY_MS);
      }
    } catch (error) {
      const { current } = this;
      if (error instanceof NoToken && error.refusal.code !== NOT_REFRESHED) throw error;
      if (current && performance.now() < current.endsAt) return current.token;
      throw error instanceof NoToken ? error : new NoToken({ ...NOT_RENEWED, message: UNREADABLE });
    }
  }

  /** The token as it stands, renewed where it is due; undefined while somebody else is at that. */
  private async look(): Promise<string | undefined> {
    let tokens = await this.find();
    if (tokens.freshMs <= 0 && (await this.installations().renew(this.tenant))) tokens = await this.find();
    const { accessToken: token, version, lifeMs, freshMs } = tokens;
    if (lifeMs < LEAST_LIFE_MS) return undefined;
    const now = performance.now();
    // Half of what is left after it should have been renewed is enough to do it ourselves.
    const readAgainMs = freshMs > 0 ? freshMs + (lifeMs - freshMs) / 2 : Math.min(lifeMs / 2, FAILED_WAIT_MS);
    this.current = { token, version, readAgainAt: now + readAgainMs, endsAt: now + lifeMs - LEAST_LIFE_MS };
    return token;
  }

  private async find(): Promise<OpenTokens> {
    const tokens = await this.installations().find(this.tenant);
    if (!tokens || tokens.state === 'uninstalled') throw new NoToken(NONE);
    if (tokens.state === 'revoked') throw new NoToken(REVOKED);
    return tokens;
  }
}

const UNREADABLE = 'the tokens of the installation cannot be read';

const refused = { outcome: 'retry', refused: true } as const;

const NONE = {
  ...refused,
  code: NOT_INSTALLED,
  message: 'nobody has installed the app for the tenant',
  afterMs: INSTALL_WAIT_MS,
};

const REVOKED = {
  ...refused,
  code: 'BAD_REFRESH_TOKEN',
  message: 'the customer took back the access of the app: it must be installed again',
  afterMs: REVOKED_WAIT_MS,
};

const NOT_RENEWED = {
  ...refused,
  code: NOT_REFRESHED,
  message: 'HubSpot gave no new access token yet',
  afterMs: FAILED_WAIT_MS,
};
