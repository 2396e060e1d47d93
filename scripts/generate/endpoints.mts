import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../infra/work-directory.mts';

const gateway = 'dist/apps/gateway/src';

const schemaOf = async (source: string, file: string, name: string): Promise<string> => {
  const module = (await import(pathToFileURL(join(root, source, file)).href)) as Record<string, () => object>;
  return `${JSON.stringify(module[name]?.(), null, 2)}\n`;
};

/** The JSON Schema of the gateway's endpoints file. */
export const endpointsSchema = (): Promise<string> =>
  schemaOf(gateway, 'generic/endpoint.schema.js', 'endpointsJsonSchema');

/** The JSON Schema of the gateway's connections file. */
export const connectionsSchema = (): Promise<string> =>
  schemaOf(gateway, 'connection.schema.js', 'connectionsJsonSchema');

/** The JSON Schema of enrichment-service's systems file. */
export const systemsSchema = (): Promise<string> =>
  schemaOf('dist/apps/enrichment-service/src', 'system.schema.js', 'systemsJsonSchema');

/** The JSON Schema of the services' tenants file. */
export const tenantsSchema = (): Promise<string> =>
  schemaOf('dist/libs/platform/src', 'tenants.js', 'tenantsJsonSchema');
