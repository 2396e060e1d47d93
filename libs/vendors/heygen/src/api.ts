import type { Answer } from '#libs/contracts';
import { networkAnswer } from '#libs/vendors/http';
import type { z } from 'zod';
import { refusalOf } from './errors';

/** Where HeyGen is and who we are there. */
export interface HeygenSettings {
  baseUrl: string;
  apiKey: string;
  /** Called for every video, unsigned; without it only the registered endpoints are. */
  callbackUrl?: string;
  /** Videos are made as tests, which cost nothing and bear a watermark; only version 2 knows them. */
  testRenders?: boolean;
}

/** One call of HeyGen's API. */
export interface HeygenCall<S extends z.ZodType, T> {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  /** The shape of the whole answer. */
  answer: S;
  read: (answer: z.output<S>) => T;
}

/** HeyGen over HTTP: every answer is sorted, by code and by status; never throws. */
export class HeygenApi {
  constructor(readonly settings: HeygenSettings) {}

  async call<S extends z.ZodType, T>(call: HeygenCall<S, T>, signal: AbortSignal): Promise<Answer<T>> {
    const { method = 'GET', path, query, body, headers, answer, read } = call;
    const { baseUrl, apiKey } = this.settings;
    const asked = query ? `?${new URLSearchParams(query).toString()}` : '';
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${baseUrl}${path}${asked}`, {
        method,
        signal,
        headers: { 'x-api-key': apiKey, 'content-type': 'application/json', ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      text = await response.text();
    } catch (error) {
      return networkAnswer(error);
    }
    const parsedBody = jsonOf(text);
    if (!response.ok) return refusalOf(response.status, response.headers, parsedBody);
    const parsed = answer.safeParse(parsedBody);
    return parsed.success
      ? { outcome: 'done', value: read(parsed.data) }
      : { outcome: 'unknown', code: 'unreadable-answer', message: `HTTP ${String(response.status)}` };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
