import { readFileSync } from 'node:fs';
import { type TimelineForm, timelineForms } from '#libs/contracts';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError, type Environment } from './config';
import { sealingKeys } from './seal';
import { declaredName, NoSecret, secretOf, variableName } from './secret-source';
import { count, secret, timeZone, url } from './settings';

const path = () => z.string().min(1);

const scopeList = () =>
  z
    .array(z.string().regex(/^[a-z0-9._-]+$/i, 'must be the name of a scope'))
    .min(1)
    .refine((all) => new Set(all).size === all.length, 'names a scope twice');

const oauth = z
  .strictObject({
    clientId: z.string().min(1).describe('Id of the app that the account has installed'),
    clientSecretEnv: variableName().optional().describe('Environment variable with the client secret of the app'),
    clientSecretFile: path().optional().describe('File with the client secret of the app'),
    refreshTokenEnv: variableName().optional().describe('Environment variable with the refresh token of the account'),
    refreshTokenFile: path()
      .optional()
      .describe('File with the refresh token of the account; with neither, the app is installed through the gateway'),
    scopes: scopeList()
      .optional()
      .describe('Scopes that an installation through the gateway asks for: those that the app requires'),
    optionalScopes: scopeList()
      .default([])
      .describe('Scopes that it asks for besides, which HubSpot leaves out where the account has not the product'),
  })
  .refine((one) => isOne(one.clientSecretEnv, one.clientSecretFile), {
    path: ['clientSecretEnv'],
    message: 'is needed, or clientSecretFile; not both',
  })
  .refine((one) => isOne(one.refreshTokenEnv, one.refreshTokenFile, one.scopes), {
    path: ['refreshTokenEnv'],
    message: 'is needed, or refreshTokenFile, or scopes to be installed with; only one of them',
  });

const journal = z
  .strictObject({
    clientId: z.string().min(1).describe('Id of the app'),
    clientSecretEnv: variableName().optional().describe('Environment variable with the client secret of the app'),
    clientSecretFile: path().optional().describe('File with the client secret of the app'),
  })
  .refine((one) => isOne(one.clientSecretEnv, one.clientSecretFile), {
    path: ['clientSecretEnv'],
    message: 'is needed, or clientSecretFile; not both',
  });

const hubspot = z
  .strictObject({
    tokenEnv: variableName()
      .optional()
      .describe('Environment variable with the token: of a private or static app, or a service key'),
    tokenFile: path().optional().describe('File with the token; read for each call, so that the token may change'),
    oauth: oauth.optional().describe('An installation of an app: its access token is kept fresh by its refresh token'),
    tier: z
      .enum(['starter', 'professional', 'enterprise'])
      .describe("The account's tier, by which HubSpot limits calls; starter also for Free"),
    limitIncreases: z.int().min(0).max(2).default(0).describe('API limit increases that the account has bought'),
    timeZone: timeZone().default('UTC').describe("The account's time zone: its midnight begins a new day"),
    app: z
      .union([z.int().positive(), z.string().min(1)])
      .transform(String)
      .optional()
      .describe('Our own app there, whose changes set off nothing; HubSpot is asked where it is not declared'),
    timeline: z
      .enum(timelineForms)
      .default('notes')
      .describe(
        "How recipes write to timelines: by notes, or by events of the app, for which it needs HubSpot's approval",
      ),
    baseUrl: url().optional().describe('HubSpot, where it is neither HUBSPOT_BASE_URL nor api.hubapi.com'),
    journal: journal
      .optional()
      .describe("The app whose webhooks journal tells of the account's changes; none is read without"),
  })
  .refine((one) => isOne(one.tokenEnv, one.tokenFile, one.oauth), {
    path: ['tokenEnv'],
    message: 'is needed, or tokenFile, or oauth; only one of them',
  });

const tenant = z.strictObject({
  tenant: declaredName().describe('What events, effects and metrics call it'),
  portals: z.array(z.int().positive()).optional().describe('Its portals, for the gateway'),
  connection: declaredName().optional().describe('The connection of its portals, for the gateway'),
  budgets: z
    .strictObject({
      usdPerDay: z
        .number()
        .min(0)
        .max(9_999_999)
        .multipleOf(0.000001)
        .optional()
        .describe('What its calls may cost a day, in US dollars; BUDGET_USD_PER_DAY unless said'),
    })
    .optional()
    .describe('What may be spent for it, for the services'),
  hubspot: hubspot.describe('Its HubSpot account, for the services'),
});

/** The list of tenants with their accounts. */
export const tenants = z
  .array(tenant)
  .refine((all) => all.every(({ portals = [], hubspot: { journal: own } }) => !own || portals.length > 0), {
    message: 'names no portals of a tenant with a journal',
  })
  .refine((all) => all.every(({ portals = [], hubspot: { oauth: app } }) => !app?.scopes || portals.length > 0), {
    message: 'names no portals of a tenant whose app is installed through the gateway: those that may install it',
  })
  .refine((all) => new Set(all.map((one) => one.tenant)).size === all.length, 'declares a tenant twice');

/** A tenant's account as it was declared. */
export type TenantDeclaration = z.infer<typeof tenant>;

const isOne = (...ways: unknown[]): boolean => ways.filter((way) => way !== undefined).length === 1;

/**
 * A setting that names the file of tenants; what is wrong with the file is a fault of the setting. The file is the
 * gateway's too: what declares no account is not read here.
 */
export const accountsFile = () =>
  z.string().transform((file, context) => {
    const fault = (message: string) => {
      context.addIssue({ code: 'custom', message: `${file}: ${message}` });
      return z.NEVER;
    };
    try {
      // Without pretty errors: they repeat lines of the file.
      const list: unknown = parse(readFileSync(file, 'utf8'), { prettyErrors: false }) ?? [];
      if (!Array.isArray(list)) return fault('is no list of tenants');
      const read = tenants.safeParse(list.filter(declaresAccount));
      if (read.success) return read.data;
      return fault(`is no list of tenants: ${z.prettifyError(read.error)}`);
    } catch (error) {
      return fault(`cannot be read: ${(error as Error).message}`);
    }
  });

/** The settings of an app that speaks to HubSpot. */
export const hubspotSettings = {
  HUBSPOT_BASE_URL: url().optional().describe('HubSpot, where it is not api.hubapi.com'),
  TENANTS_FILE: accountsFile()
    .optional()
    .describe('YAML list of tenants with their HubSpot accounts; without one the settings are the account of all'),
  HUBSPOT_ACCESS_TOKEN: secret()
    .optional()
    .describe("The HubSpot app's access token; needed unless TENANTS_FILE declares an account"),
  HUBSPOT_APP_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Our own app: changes that it made set off nothing; HubSpot is asked where it is not set'),
  SEALING_KEY: sealingKeys()
    .optional()
    .describe(
      'Keys that the tokens of installations are sealed with, 32 bytes in base64, one a line: the first seals, all open. Needed where TENANTS_FILE has apps that customers install; the same everywhere',
    ),
  HUBSPOT_PER_TEN_SECONDS: count()
    .prefault('190')
    .describe('Calls in any ten seconds: 100 for Free and Starter, 190 from Professional on, 110 for a public app'),
  HUBSPOT_PER_DAY: count()
    .prefault('625000')
    .describe('Calls a day: 250000 for Free and Starter, 625000 for Professional'),
  HUBSPOT_TIME_ZONE: timeZone().default('UTC').describe("The account's time zone: its midnight begins a new day"),
  HUBSPOT_TIMELINE: z
    .enum(timelineForms)
    .default('notes')
    .describe(
      "How recipes write to timelines: by notes, or by events of the app, for which it needs HubSpot's approval",
    ),
};

/** How a tenant's account is told what recipes say in timelines: as the file of tenants declares it, or the settings. */
export function timelineOf(
  { TENANTS_FILE: declared = [], HUBSPOT_TIMELINE }: Pick<AccountConfig, 'TENANTS_FILE' | 'HUBSPOT_TIMELINE'>,
  tenant: string,
): TimelineForm {
  if (declared.length === 0) return HUBSPOT_TIMELINE;
  return declared.find((one) => one.tenant === tenant)?.hubspot.timeline ?? 'notes';
}

const declaresAccount = (one: unknown): boolean => (one as { hubspot?: unknown } | null)?.hubspot !== undefined;

/** What the settings say of accounts. */
export interface AccountConfig {
  TENANTS_FILE?: TenantDeclaration[];
  HUBSPOT_BASE_URL?: string;
  HUBSPOT_ACCESS_TOKEN?: string;
  HUBSPOT_APP_ID?: string;
  HUBSPOT_PER_TEN_SECONDS: number;
  HUBSPOT_PER_DAY: number;
  HUBSPOT_TIME_ZONE: string;
  HUBSPOT_TIMELINE: TimelineForm;
}

/** Whether the settings tell of an account: by a file of tenants, or by themselves. */
export const hasAccount = ({ TENANTS_FILE, HUBSPOT_ACCESS_TOKEN }: Partial<AccountConfig>): boolean =>
  (TENANTS_FILE ?? []).length > 0 || Boolean(HUBSPOT_ACCESS_TOKEN);

/** The check of {@link hasAccount} on a schema, whatever else is wrong with the settings. */
export const needsAccount = [
  (config: Partial<AccountConfig>) => hasAccount(config),
  { path: ['HUBSPOT_ACCESS_TOKEN'] as PropertyKey[], when: () => true },
] as const;

/**
 * The accounts of all tenants, or one for everyone by the settings alone. Throws one {@link ConfigError} with every secret
 * that cannot be had.
 */
export function accountsOf(config: AccountConfig, env: Environment) {
  const declared = config.TENANTS_FILE ?? [];
  if (declared.length === 0) return [accountOfSettings(config)];
  const faults: string[] = [];
  const secretAt = declaredSecrets(env, faults);
  const accounts = declared.map(({ tenant, hubspot }) => ({
    tenant,
    baseUrl: hubspot.baseUrl ?? config.HUBSPOT_BASE_URL,
    appId: hubspot.app ?? config.HUBSPOT_APP_ID,
    timeline: hubspot.timeline,
    token: hubspot.oauth
      ? tokenOfApp(tenant, hubspot.oauth, secretAt)
      : secretAt(tenant, hubspot.tokenEnv, hubspot.tokenFile),
    plan: {
      tier: hubspot.tier,
      limitIncreases: hubspot.limitIncreases,
      timeZone: hubspot.timeZone,
      isOauth: hubspot.oauth !== undefined,
    },
  }));
  if (faults.length > 0) throw new ConfigError(faults);
  return accounts;
}

function tokenOfApp(tenant: string, app: z.infer<typeof oauth>, secretAt: ReturnType<typeof declaredSecrets>) {
  const { clientId, clientSecretEnv, clientSecretFile, refreshTokenEnv, refreshTokenFile, scopes } = app;
  const client = { clientId, clientSecret: secretAt(tenant, clientSecretEnv, clientSecretFile) };
  if (scopes) return { ...client, isInstalled: true as const };
  return { ...client, refreshToken: secretAt(tenant, refreshTokenEnv, refreshTokenFile) };
}

/** Reads the secrets that the file of tenants names, each at once: what cannot be had is a fault. */
export function declaredSecrets(env: Environment, faults: string[]) {
  return (name: string, secretEnv: string | undefined, secretFile: string | undefined): (() => string) => {
    const read = secretOf({ secretEnv, secretFile }, env);
    try {
      read();
    } catch (error) {
      if (!(error instanceof NoSecret)) throw error;
      faults.push(`TENANTS_FILE: tenant ${name}: ${error.message}; put it there, or name another place`);
    }
    return read;
  };
}

function accountOfSettings(config: AccountConfig) {
  const { HUBSPOT_ACCESS_TOKEN: token = '' } = config;
  return {
    tenant: undefined,
    baseUrl: config.HUBSPOT_BASE_URL,
    appId: config.HUBSPOT_APP_ID,
    timeline: config.HUBSPOT_TIMELINE,
    token: () => token,
    plan: {
      perTenSeconds: config.HUBSPOT_PER_TEN_SECONDS,
      perDay: config.HUBSPOT_PER_DAY,
      timeZone: config.HUBSPOT_TIME_ZONE,
    },
  };
}

/** The JSON Schema of the tenants file, for editors and checks before a roll-out. */
export const tenantsJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain tenants',
  ...z.toJSONSchema(tenants, { target: 'draft-7', io: 'input' }),
});
