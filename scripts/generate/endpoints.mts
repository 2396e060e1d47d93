import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../infra/work-directory.mts';

const file = 'dist/apps/gateway/src/generic/endpoint.schema.js';

/** The JSON Schema of the gateway's endpoints file. */
export async function endpointsSchema(): Promise<string> {
  const { endpointsJsonSchema } = (await import(pathToFileURL(join(root, file)).href)) as {
    endpointsJsonSchema: () => Record<string, unknown>;
  };
  return `${JSON.stringify(endpointsJsonSchema(), null, 2)}\n`;
}
