import type { Pool } from 'pg';
import { run, rowsOf } from './query';

/** Where an installation stands: its tokens are in use, HubSpot refused them, or we ended it. */
export type InstallationState = 'active' | 'revoked' | 'uninstalled';

/** A customer's installation of an app, without its tokens. */
export interface Installation {
  tenant: string;
  portal: number;
  /** Id of the app. */
  app: string;
  state: InstallationState;
  /** What HubSpot granted. */
  scopes: string[];
  expiresAt: Date | null;
  renewAt: Date | null;
  installedAt: Date;
  changedAt: Date;
}

/** The tokens of an installation as they are kept: sealed. */
export interface KeptTokens {
  tenant: string;
  state: InstallationState;
  /** Null unless it is active. */
  sealed: string | null;
  /** Raised with each change: who has read an older one changes nothing. */
  version: string;
  /** Of the access token, by the database's clock; below 0 where it is over. */
  lifeMs: number;
  /** Until it should be renewed. */
  freshMs: number;
}

/** Tokens that are to be renewed by whoever was given them. */
export interface DueTokens {
  tenant: string;
  sealed: string;
  version: string;
}

/** Tokens that were given. */
export interface NewTokens {
  sealed: string;
  lifeMs: number;
  /** How much of the life may go before they are renewed, from 0 to 1. */
  renewedAt: number;
}

/** Keeps an installation as new, in the place of any before. */
export async function keepInstallation(
  pool: Pool,
  { tenant, portal, app, scopes }: Pick<Installation, 'tenant' | 'portal' | 'app' | 'scopes'>,
  { sealed, lifeMs, renewedAt }: NewTokens,
): Promise<void> {
  await run(pool, 'refrain-install', INSTALL, [tenant, portal, app, scopes, sealed, lifeMs, lifeMs * renewedAt]);
}

/** The tokens of a tenant; undefined where nobody has installed the app. */
export async function tokensOf(pool: Pool, tenant: string): Promise<KeptTokens | undefined> {
  return (await run<KeptTokens>(pool, 'refrain-tokens', TOKENS, [tenant])).rows[0];
}

/**
 * Takes tokens that are due, for `forMs`: nobody else is given them meanwhile. Those of one tenant, or the `most` that are
 * due longest. One who ends without a word leaves them to the next after that time.
 */
export async function takeDueTokens(
  pool: Pool,
  { tenant, most = 1, forMs }: { tenant?: string; most?: number; forMs: number },
): Promise<DueTokens[]> {
  return (await run<DueTokens>(pool, 'refrain-tokens-due', TAKE_DUE, [tenant ?? null, most, forMs])).rows;
}

/** Keeps renewed tokens and how long they live from when they were taken; false where others were kept meanwhile. */
export async function renewTokens(
  pool: Pool,
  { tenant, version }: Pick<DueTokens, 'tenant' | 'version'>,
  { sealed, lifeMs, renewedAt, takenForMs }: NewTokens & { takenForMs: number },
): Promise<boolean> {
  const { rowCount } = await run(pool, 'refrain-tokens-renew', RENEW, [
    tenant,
    version,
    sealed,
    lifeMs,
    lifeMs * renewedAt,
    takenForMs,
  ]);
  return rowCount === 1;
}

/** Ends an installation and forgets its tokens; false where it has changed since that version was read. */
export async function endInstallation(
  pool: Pool,
  { tenant, version }: { tenant: string; version?: string },
  state: Exclude<InstallationState, 'active'>,
): Promise<boolean> {
  const { rowCount } = await run(pool, 'refrain-installation-end', END, [tenant, version ?? null, state]);
  return rowCount === 1;
}

/** Lets tokens that could not be renewed be due again after so long, in ms. */
export async function putOffTokens(pool: Pool, { tenant, version }: DueTokens, afterMs: number): Promise<void> {
  await run(pool, 'refrain-tokens-put-off', PUT_OFF, [tenant, version, afterMs]);
}

/** Says that tokens of a version are not taken: they are due at once, unless newer ones are there. */
export async function dueNow(pool: Pool, { tenant, version }: { tenant: string; version: string }): Promise<void> {
  await run(pool, 'refrain-tokens-due-now', DUE_NOW, [tenant, version]);
}

/** All installations, by tenant. */
export const installations = (pool: Pool): Promise<Installation[]> => rowsOf<Installation>(pool, LIST, []);

const ms = (n: string): string => `make_interval(secs => ${n}::float8 / 1000)`;

const INSTALL = `
  insert into installation as i (tenant, portal, app, state, scopes, tokens, expires_at, renew_at)
  values ($1, $2, $3, 'active', $4, $5, refrain_now() + ${ms('$6')}, refrain_now() + ${ms('$7')})
  on conflict (tenant) do update set portal = excluded.portal, app = excluded.app, state = 'active',
    scopes = excluded.scopes, tokens = excluded.tokens, version = i.version + 1, expires_at = excluded.expires_at,
    renew_at = excluded.renew_at, not_before = refrain_now(), installed_at = refrain_now(), changed_at = refrain_now()`;

const TOKENS = `
  select tenant, state, tokens as sealed, version::text,
    coalesce(extract(epoch from expires_at - refrain_now()) * 1000, 0)::float8 as "lifeMs",
    coalesce(extract(epoch from renew_at - refrain_now()) * 1000, 0)::float8 as "freshMs"
  from installation where tenant = $1`;

const TAKE_DUE = `
  with due as (
    select tenant from installation
    where state = 'active' and renew_at <= refrain_now() and not_before <= refrain_now()
      and ($1::text is null or tenant = $1)
    order by renew_at limit $2 for update skip locked
  )
  update installation i set not_before = refrain_now() + ${ms('$3')} from due where i.tenant = due.tenant
  returning i.tenant, i.tokens as sealed, i.version::text`;

// The life of a token begins after it was asked for: reckoned from then, it is never thought to be longer than it is.
const RENEW = `
  update installation set tokens = $3, version = version + 1, changed_at = refrain_now(),
    expires_at = not_before - ${ms('$6')} + ${ms('$4')}, renew_at = not_before - ${ms('$6')} + ${ms('$5')}
  where tenant = $1 and version = $2 and state = 'active'`;

const END = `
  update installation set state = $3, tokens = null, expires_at = null, renew_at = null, version = version + 1,
    changed_at = refrain_now()
  where tenant = $1 and ($2::bigint is null or version = $2) and state = 'active'`;

const PUT_OFF = `
  update installation set not_before = refrain_now() + ${ms('$3')}
  where tenant = $1 and version = $2 and state = 'active'`;

const DUE_NOW = `
  update installation set renew_at = least(renew_at, refrain_now()) where tenant = $1 and version = $2`;

const LIST = `
  select tenant, portal::float8 as portal, app, state, scopes, expires_at as "expiresAt", renew_at as "renewAt",
    installed_at as "installedAt", changed_at as "changedAt"
  from installation order by tenant`;
