import type { TemplateUse } from '#libs/recipes';
import { openHeygen } from '#libs/vendors/heygen';
import type { z } from 'zod';
import type { videoConfig } from './cli.config';
import type { Finding } from './doctor/finding';
import { byKey } from './doctor/run';
import { judgeTemplates } from './doctor/vendors';

/**
 * Compares templates that recipes order from with those that HeyGen has, by the variables of each and their types; undefined where the
 * settings hold no key to ask by.
 */
export function templateCheck(
  { HEYGEN_API: version, HEYGEN_BASE_URL: baseUrl, HEYGEN_API_KEY: apiKey }: z.infer<typeof videoConfig>,
  uses: readonly TemplateUse[],
): ((signal: AbortSignal) => Promise<Finding[]>) | undefined {
  if (apiKey === undefined) return undefined;
  const client = openHeygen(version, { baseUrl, apiKey });
  const ids = new Set(uses.map(({ template }) => template));
  return async (signal) => judgeTemplates(uses, await byKey(ids, (id) => client.template(id, signal)), version);
}
