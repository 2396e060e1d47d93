import { z } from 'zod';
import { ConfigError, type Environment } from './config';
import { duration, secret } from './settings';
import { declaredSecrets, type TenantDeclaration } from './tenants';

/** The settings of an app that reads webhooks journals. */
export const journalSettings = {
  HUBSPOT_JOURNAL_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Client id of the app whose webhooks journal is read; none is read without, nor where TENANTS_FILE declares accounts',
    ),
  HUBSPOT_JOURNAL_CLIENT_SECRET: secret().optional().describe('Client secret of that app'),
  HUBSPOT_JOURNAL_PORTAL: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'must be the id of a portal')
    .transform(Number)
    .optional()
    .describe('The portal of the account: what the journal tells of others is left'),
  JOURNAL_EVERY: duration()
    .prefault('1m')
    .describe('How long after the end of the journal was reached it is looked at again'),
};

interface Config {
  TENANTS_FILE?: TenantDeclaration[];
  HUBSPOT_BASE_URL?: string;
  HUBSPOT_JOURNAL_CLIENT_ID?: string;
  HUBSPOT_JOURNAL_CLIENT_SECRET?: string;
  HUBSPOT_JOURNAL_PORTAL?: number;
}

/** The check on a schema that a journal is declared as a whole, or not at all. */
export const needsWholeJournal = [
  (config: Partial<Config>) => {
    const parts = [
      config.HUBSPOT_JOURNAL_CLIENT_ID,
      config.HUBSPOT_JOURNAL_CLIENT_SECRET,
      config.HUBSPOT_JOURNAL_PORTAL,
    ];
    return new Set(parts.map((part) => part === undefined)).size === 1;
  },
  {
    path: ['HUBSPOT_JOURNAL_CLIENT_ID'] as PropertyKey[],
    message: 'needs HUBSPOT_JOURNAL_CLIENT_SECRET and HUBSPOT_JOURNAL_PORTAL, and each of them the others',
    when: () => true,
  },
] as const;

/** An app whose journal is read, and whose the portals are that it tells of. */
export interface DeclaredJournal {
  clientId: string;
  clientSecret: () => string;
  baseUrl?: string;
  tenants: ReadonlyMap<number, string>;
}

/** The journals that tenants declare, each once; or the one of the settings. Throws as {@link accountsOf}. */
export function journalsOf(config: Config, env: Environment): DeclaredJournal[] {
  const { TENANTS_FILE: declared = [], HUBSPOT_BASE_URL } = config;
  if (declared.length === 0) return journalOfSettings(config);
  const faults: string[] = [];
  const secretAt = declaredSecrets(env, faults);
  const withJournal = declared.filter(({ hubspot }) => hubspot.journal);
  const byApp = Map.groupBy(withJournal, ({ hubspot }) => hubspot.journal?.clientId ?? '');
  const journals = [...byApp].flatMap(([clientId, all]) => {
    const [first] = all;
    if (!first) return [];
    const { clientSecretEnv, clientSecretFile } = first.hubspot.journal ?? {};
    const tenants = new Map(all.flatMap(({ tenant, portals = [] }) => portals.map((portal) => [portal, tenant])));
    const clientSecret = secretAt(first.tenant, clientSecretEnv, clientSecretFile);
    return [{ clientId, clientSecret, baseUrl: first.hubspot.baseUrl ?? HUBSPOT_BASE_URL, tenants }];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return journals;
}

function journalOfSettings(config: Config): DeclaredJournal[] {
  const {
    HUBSPOT_JOURNAL_CLIENT_ID: clientId,
    HUBSPOT_JOURNAL_CLIENT_SECRET: secret,
    HUBSPOT_JOURNAL_PORTAL: portal,
  } = config;
  if (clientId === undefined || secret === undefined || portal === undefined) return [];
  const tenants = new Map([[portal, 'default']]);
  return [{ clientId, clientSecret: () => secret, baseUrl: config.HUBSPOT_BASE_URL, tenants }];
}
