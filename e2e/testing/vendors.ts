import type { Account, Secrets } from './secrets';
import { Child, type Environment, type Watchdog } from './children';

export const vendors = ['hubspot', 'heygen', 'openai'] as const;
export type Vendor = (typeof vendors)[number];

/** A call that a vendor was sent, from the sandbox's own log; `status` is null while it is not answered. */
export interface Call {
  n: number;
  at: string;
  method: string;
  path: string;
  status: number | null;
  query?: Record<string, string>;
  requestBody?: Record<string, unknown>;
  idempotencyKey?: string;
  billed?: boolean;
  /** What the sandbox was told to do to it. */
  fault?: string;
  durationMs?: number | null;
}

/** The stand-in of one vendor: where it is, and its control API. */
export class Sandbox {
  constructor(
    readonly child: Child,
    readonly url: string,
  ) {}

  /** Calls the control API, under `/_sandbox`; rejects on anything but success. */
  async control<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const send = () =>
      fetch(`${this.url}/_sandbox${path}`, {
        method,
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
    // A kept connection may be closed just as it is used again; what only looks, or says how it is to be, may be sent twice.
    const response = await send().catch((error: unknown) => {
      if (method === 'POST') throw error;
      return send();
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${this.child.name}: ${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async calls(): Promise<Call[]> {
    return (await this.control<{ calls: Call[] }>('GET', '/calls')).calls;
  }
}

interface Gateway {
  url: string;
  publicUrl: string;
}

/** Starts the stand-in of a vendor on a free port; its webhooks are signed for the public address. */
export async function startSandbox(
  vendor: Vendor,
  secrets: Secrets,
  account: Account,
  gateway: Gateway,
  further: Environment,
  watchdog: Watchdog,
): Promise<Sandbox> {
  const env = {
    HUBSPOT_CLIENT_SECRET: secrets.hubspotClientSecret,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_APP_ID: String(account.appId),
    HUBSPOT_PORTAL_ID: String(account.portalId),
    HEYGEN_API_KEY: secrets.heygenApiKey,
    HEYGEN_WEBHOOK_SECRET: secrets.heygenWebhookSecret,
    OPENAI_API_KEY: secrets.openaiApiKey,
    WEBHOOK_TARGET_URL: `${gateway.publicUrl}/webhooks/${vendor}`,
    WEBHOOK_DELIVER_TO: gateway.url,
    ...further,
  };
  const child = new Child(`sandbox ${vendor}`, ['sandbox/src/main.ts', '--vendor', vendor], env, watchdog);
  const found = await child.start().said(/^\{.*"url":"([^"]+)".*\}$/m);
  return new Sandbox(child, found[1] ?? '');
}
