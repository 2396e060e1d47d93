import { startChild, waitForLog, type Child } from '../infra/child.mts';
import { root } from '../infra/work-directory.mts';
import { inherited } from './inherited.mts';
import { newLog } from '../infra/logs.mts';
import { bundleRecordPage } from '../record-page/bundle.mts';
import type { SecretFiles } from './secret-files.mts';
import type { Environment, Settings, Vendor } from './settings.mts';

export interface Sandbox {
  readonly vendor: Vendor;
  readonly url: string;
  readonly child: Child;
}

/**
 * Starts the stand-in of a vendor on a free port, with the secrets of this run, calling back to the given gateway.
 * HubSpot's shows record pages from what is built into `pages`.
 */
export async function startSandbox(
  vendor: Vendor,
  settings: Settings,
  files: SecretFiles,
  gateway: { url: string; publicUrl: string },
  pages: string,
): Promise<Sandbox> {
  if (vendor === 'hubspot') await bundleRecordPage(pages, gateway.publicUrl);
  const logFile = newLog(`sandbox-${vendor}`);
  const child = await startChild({
    name: `The ${vendor} sandbox`,
    command: process.execPath,
    args: ['sandbox/src/main.ts', '--vendor', vendor, '--port', '0'],
    env: { ...inherited(settings.env), ...sandboxEnvironment(vendor, settings, files, gateway, pages) },
    cwd: root,
    logFile,
  });
  const found = await waitForLog(child, /^\{.*"url":"([^"]+)".*\}$/m, 30_000);
  return { vendor, url: found[1] as string, child };
}

function sandboxEnvironment(
  vendor: Vendor,
  { env, secrets }: Settings,
  files: SecretFiles,
  gateway: { url: string; publicUrl: string },
  pages: string,
): Environment {
  const webhooks = {
    WEBHOOK_TARGET_URL: `${gateway.publicUrl}/webhooks/${vendor}`,
    WEBHOOK_DELIVER_TO: gateway.publicUrl === gateway.url ? undefined : gateway.url,
    RETRY_SCALE: env.RETRY_SCALE,
  };
  switch (vendor) {
    case 'hubspot':
      return {
        ...files.settings('HUBSPOT_CLIENT_SECRET', 'HUBSPOT_ACCESS_TOKEN'),
        HUBSPOT_APP_ID: secrets.hubspotAppId,
        HUBSPOT_PORTAL_ID: secrets.portalId,
        RECORD_PAGE_DIR: pages,
        ...webhooks,
      };
    case 'heygen':
      return {
        ...files.settings('HEYGEN_API_KEY', 'HEYGEN_WEBHOOK_SECRET'),
        ...webhooks,
        RENDER_MS: env.RENDER_MS,
        SUBMIT_MS: env.SUBMIT_MS,
      };
    case 'openai':
      return { ...files.settings('OPENAI_API_KEY'), LATENCY_MS: env.LATENCY_MS };
  }
}
