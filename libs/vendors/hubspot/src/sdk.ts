import { Client } from '@hubspot/api-client';
import { deadlineAgent } from './deadline-agent';
import { declaredPath, families } from './versions';

/** What HubSpot says of its limits beside an answer; search says nothing, and OAuth apps have no day. */
export interface Rates {
  most?: number;
  remaining?: number;
  intervalMs?: number;
  dailyMost?: number;
  dailyRemaining?: number;
}

/** Where an account is, and who we are there. */
export interface SdkSettings {
  baseUrl?: string;
  /** The access token, or what gives it for one call; rejects where there is none. */
  accessToken: string | (() => Promise<string>);
  onRates?: (rates: Rates) => void;
  /** Told of each answer whether the token was taken; of none that failed before or inside. */
  onToken?: (isTaken: boolean) => void;
}

/** A call that the SDK has no words for; a form where HubSpot takes no JSON. */
export interface OwnCall {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  qs?: Record<string, string>;
  body?: object;
  form?: Record<string, string>;
}

interface Request {
  getUrl(): string;
  setUrl(url: string): void;
  setHeaderParam(name: string, value: string): void;
}

interface Response {
  httpStatusCode: number;
  headers: Record<string, string>;
}

const DEFAULT_BASE_URL = 'https://api.hubapi.com';
const UNAUTHORIZED = 401;

/**
 * The official SDK, with its calls at the declared versions and its token from outside. Without its retries and limiter,
 * which all clients of a process would share: they have identical options, and nothing of one account in them.
 */
export class Sdk extends Client {
  constructor(private readonly access: SdkSettings) {
    const basePath = access.baseUrl ?? DEFAULT_BASE_URL;
    super({
      basePath,
      httpAgent: deadlineAgent(basePath),
      numberOfApiCallRetries: 0,
      middleware: [
        {
          pre: async (context) => {
            const request = context as Request;
            const path = declaredPath(request.getUrl().slice(basePath.length));
            request.setUrl(`${basePath}${path}`);
            if (needsToken(path)) request.setHeaderParam('Authorization', `Bearer ${await this.token()}`);
            return request;
          },
          post: (context) => {
            const response = context as Response;
            this.note(response.httpStatusCode, response.headers);
            return response;
          },
        },
      ],
    });
  }

  /** Makes a call that the SDK has no words for, by the same token; resolves to the answer, whatever its status. */
  async send({ method, path, qs, body, form }: OwnCall): Promise<{ status: number; text: string; headers: Headers }> {
    const authorization: Record<string, string> = needsToken(path)
      ? { Authorization: `Bearer ${await this.token()}` }
      : {};
    const coded = form && { 'Content-Type': 'application/x-www-form-urlencoded' };
    const response = await this.apiRequest({
      method,
      path,
      qs,
      headers: { ...authorization, ...coded },
      body: form ? new URLSearchParams(form).toString() : body,
      defaultJson: form === undefined,
    });
    if (needsToken(path)) this.note(response.status, Object.fromEntries(response.headers));
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  private token(): Promise<string> {
    const { accessToken } = this.access;
    return typeof accessToken === 'string' ? Promise.resolve(accessToken) : accessToken();
  }

  private note(status: number, headers: Record<string, string>): void {
    const { onRates, onToken } = this.access;
    const rates = ratesIn(headers);
    if (Object.keys(rates).length > 0) onRates?.(rates);
    if (status < 500) onToken?.(status !== UNAUTHORIZED);
  }
}

/** Calls about tokens carry theirs in the body, those about an app's webhooks the key of its developer in the query. */
const needsToken = (path: string): boolean =>
  ![families.oauth, families.staticTokens, families.appWebhooks].some(({ root }) => path.startsWith(root));

const rateHeaders: [string, keyof Rates][] = [
  ['x-hubspot-ratelimit-max', 'most'],
  ['x-hubspot-ratelimit-remaining', 'remaining'],
  ['x-hubspot-ratelimit-interval-milliseconds', 'intervalMs'],
  ['x-hubspot-ratelimit-daily', 'dailyMost'],
  ['x-hubspot-ratelimit-daily-remaining', 'dailyRemaining'],
];

/** What the headers of an answer say of limits. */
export function ratesIn(headers: Record<string, string>): Rates {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const said = rateHeaders.flatMap(([header, name]) => {
    const value = lower.get(header);
    return value !== undefined && /^\d+$/.test(value) ? [[name, Number(value)] as const] : [];
  });
  return Object.fromEntries(said);
}
