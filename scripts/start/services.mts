import { freePort } from '../infra/free-port.mts';
import { inherited } from './inherited.mts';
import { newLog } from '../infra/logs.mts';
import type { SecretFiles } from './secret-files.mts';
import { gatewayMemory, type ServiceSpec } from './service.mts';
import type { Environment, Settings, Vendor } from './settings.mts';

export interface Surroundings {
  readonly settings: Settings;
  readonly files: SecretFiles;
  readonly kafkaBrokers: string;
  readonly gateway: { url: string; publicUrl: string };
  /** Addresses of the sandboxes that stand in; the vendor's own where there is none. */
  readonly sandboxUrls: Partial<Record<Vendor, string>>;
}

/** The settings of each process: only what it needs, so that one of them lost is not all of them lost. */
export async function serviceSpecs(around: Surroundings): Promise<ServiceSpec[]> {
  const { files, gateway } = around;
  const hubspot = {
    ...vendorAddress(around, 'hubspot'),
    ...files.settings('HUBSPOT_ACCESS_TOKEN'),
    ...tenants(around),
  };
  const { env } = around.settings;
  const heygen = {
    ...vendorAddress(around, 'heygen'),
    ...files.settings('HEYGEN_API_KEY'),
    HEYGEN_API: env.HEYGEN_API,
  };
  const own: Record<string, Environment> = {
    gateway: {
      ...gatewayMemory,
      PUBLIC_URL: gateway.publicUrl,
      ...files.settings('HUBSPOT_CLIENT_SECRET', 'HEYGEN_WEBHOOK_SECRET'),
      ...vendorAddress(around, 'hubspot'),
      HUBSPOT_APP_URL: around.sandboxUrls.hubspot ?? around.settings.env.HUBSPOT_APP_URL,
      HEYGEN_WEBHOOK_NEXT_SECRET_FILE: env.HEYGEN_WEBHOOK_NEXT_SECRET_FILE,
      ...(env.VIDEO_LINK_KEY || env.VIDEO_LINK_KEY_FILE ? heygen : {}),
      ...tenants(around),
    },
    'render-service': {
      PUBLIC_URL: gateway.publicUrl,
      ...hubspot,
      ...heygen,
      VIDEO_LINK_KEY: env.VIDEO_LINK_KEY,
      VIDEO_LINK_KEY_FILE: env.VIDEO_LINK_KEY_FILE,
    },
    'enrichment-service': {
      ...hubspot,
      ...vendorAddress(around, 'openai'),
      ...files.settings('OPENAI_API_KEY'),
      OPENAI_DEADLINE: around.settings.env.OPENAI_DEADLINE,
      SYSTEMS_FILE: around.settings.env.SYSTEMS_FILE,
    },
    'crm-writer': hubspot,
    'crm-reader': hubspot,
  };
  return Promise.all(
    Object.entries(own).map(async ([name, env]) => {
      const url = name === 'gateway' ? gateway.url : `http://127.0.0.1:${await freePort()}`;
      return {
        name,
        url,
        program: programOf(name),
        env: { ...commonEnvironment(around), ...env, HOST: '127.0.0.1', PORT: new URL(url).port },
        logFile: newLog(name),
      };
    }),
  );
}

/** The settings of `refrain` commands that prepare the stores and HubSpot. */
export function commandEnvironment(around: Surroundings): Environment {
  return {
    ...commonEnvironment(around),
    ...vendorAddress(around, 'hubspot'),
    ...around.files.settings('HUBSPOT_ACCESS_TOKEN'),
    ...tenants(around),
  };
}

/** Whose accounts there are; the secrets that the file names stand in files. */
const tenants = ({ settings: { env } }: Surroundings): Environment => ({
  TENANTS_FILE: env.TENANTS_FILE,
  SEALING_KEY_FILE: env.SEALING_KEY_FILE,
});

export function programOf(app: string): string {
  return `dist/apps/${app}/src/main.js`;
}

function commonEnvironment({ settings, files, kafkaBrokers }: Surroundings): Environment {
  return {
    ...inherited(settings.env),
    ...files.settings('DATABASE_URL'),
    KAFKA_BROKERS: kafkaBrokers,
    RECIPES_DIR: settings.env.RECIPES_DIR || (settings.env.RECIPES_ENVIRONMENT ? undefined : 'recipes'),
    RECIPES_ENVIRONMENT: settings.env.RECIPES_ENVIRONMENT,
    ASKS_DIR: settings.env.ASKS_DIR,
    TABLES_DIR: settings.env.TABLES_DIR,
    RECIPES_TOKEN_KEY: settings.env.RECIPES_TOKEN_KEY,
    RECIPES_TOKEN_KEY_FILE: settings.env.RECIPES_TOKEN_KEY_FILE,
    // The app's own id and the portal of a connection tell our own echo and the tenant apart from others.
    HUBSPOT_APP_ID: settings.secrets.hubspotAppId,
    HUBSPOT_PORTAL_ID: settings.secrets.portalId,
    HUBSPOT_TIMELINE: settings.env.HUBSPOT_TIMELINE,
  };
}

function vendorAddress({ settings, sandboxUrls }: Surroundings, vendor: Vendor): Environment {
  const name = `${vendor.toUpperCase()}_BASE_URL`;
  const sandbox = sandboxUrls[vendor];
  if (sandbox === undefined) return { [name]: settings.env[name] };
  return { [name]: vendor === 'openai' ? `${sandbox}/v1` : sandbox };
}
