import type { Answer } from '#libs/contracts';
import { withDeadline } from './deadline-agent';
import { type SortedAs, sortedHubspotError } from './errors';
import type { OwnCall, Sdk } from './sdk';

/** What a call made or changed in the CRM; without an id where HubSpot tells none. */
export interface Made {
  id?: string;
}

/** What a look for an earlier call's work has found; nothing follows from one that did not see all. */
export interface Look {
  made?: Made;
  complete: boolean;
}

const typeIds: Record<string, string> = { contact: '0-1', company: '0-2', deal: '0-3', ticket: '0-5' };

/** HubSpot's id of a type of records; custom types are their id. */
export const typeIdOf = (type: string): string => typeIds[type] ?? type;

/** The answer of an SDK call that is cut at its deadline; never throws. */
export async function sorted<T>(signal: AbortSignal, call: () => Promise<T>, as?: SortedAs): Promise<Answer<T>> {
  try {
    return { outcome: 'done', value: await withDeadline(signal, call) };
  } catch (error) {
    return sortedHubspotError(error, as);
  }
}

/**
 * Looks before it makes what an earlier call may have made already. Where the look fails, nothing is made, and the
 * outcome of the earlier calls stays unknown.
 */
export async function onceOnly(
  isRepeat: boolean,
  look: () => Promise<Answer<Look>>,
  make: () => Promise<Answer<Made>>,
): Promise<Answer<Made>> {
  if (!isRepeat) return make();
  const looked = await look();
  if (looked.outcome === 'stop') return { ...looked, outcome: 'unknown' };
  if (looked.outcome !== 'done') return looked;
  const { made, complete } = looked.value;
  if (made) return { outcome: 'done', value: made };
  if (!complete) return { outcome: 'unknown', code: 'look-incomplete', message: 'not all was shown' };
  return make();
}

/** Thrown for an answer that is no success, in the shape of the SDK's own errors. */
class Refused extends Error {
  constructor(
    readonly code: number,
    readonly body: unknown,
    readonly headers: Record<string, string>,
  ) {
    super(`HTTP ${String(code)}`);
  }
}

/** A call that the SDK has no words for; resolves to the body of a success, undefined where it has none. */
export const request = async (sdk: Sdk, signal: AbortSignal, call: OwnCall): Promise<unknown> =>
  (await requestWhole(sdk, signal, call)).body;

/** The same, with the headers of the answer. */
export async function requestWhole(
  sdk: Sdk,
  signal: AbortSignal,
  call: OwnCall,
): Promise<{ body: unknown; headers: Record<string, string> }> {
  signal.throwIfAborted();
  // The SDK takes no signal here: at the deadline the call is given up, not cut, and may still be obeyed.
  const { status, text, headers } = await Promise.race([sdk.send(call), givenUp(signal)]);
  const body = text === '' ? undefined : parsed(text);
  if (status < 200 || status > 299) throw new Refused(status, body ?? '', Object.fromEntries(headers));
  return { body, headers: Object.fromEntries(headers) };
}

function givenUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
