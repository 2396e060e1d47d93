import type { Answer, RecordRef } from '#libs/contracts';
import { z } from 'zod';
import { type Look, type Made, onceOnly, request as call, sorted } from './answering';
import type { Sdk } from './sdk';
import { families } from './versions';

/** Whether a contact takes a kind of e-mail; the legal basis by HubSpot's name of it. */
export interface ConsentRequest {
  record: RecordRef;
  consent: {
    subscription: string;
    status: 'subscribed' | 'unsubscribed';
    email: string;
    basis?: string;
    explanation?: string;
  };
}

const CHANNEL = 'EMAIL';

/**
 * Sets the consent of an address. A repeat looks first: HubSpot promises nothing of a status that is set twice, and what
 * is so already need not be said once more.
 */
export function setConsent(
  sdk: Sdk,
  { consent }: ConsentRequest,
  isRepeat: boolean,
  signal: AbortSignal,
): Promise<Answer<Made>> {
  const { subscription, status, email, basis, explanation } = consent;
  const path = `${families.consents.root}/${encodeURIComponent(email)}`;
  const statusState = status.toUpperCase();
  const look = async (): Promise<Look> => {
    const { results } = statuses.parse(await call(sdk, signal, { method: 'GET', path, qs: { channel: CHANNEL } }));
    const found = results.find(({ subscriptionId }) => String(subscriptionId) === subscription);
    return { ...(found?.status === statusState ? { made: {} } : {}), complete: true };
  };
  const set = async (): Promise<Made> => {
    const body = {
      subscriptionId: /^\d+$/.test(subscription) ? Number(subscription) : subscription,
      statusState,
      channel: CHANNEL,
      ...(basis === undefined ? {} : { legalBasis: basis }),
      ...(explanation === undefined ? {} : { legalBasisExplanation: explanation }),
    };
    await call(sdk, signal, { method: 'POST', path, body });
    return {};
  };
  return onceOnly(
    isRepeat,
    () => sorted(signal, look),
    () => sorted(signal, set, { forbidden: 'stop', codes: [{ said: /legal ?basis/i, code: 'legal-basis-needed' }] }),
  );
}

const statuses = z.looseObject({
  results: z.array(z.looseObject({ subscriptionId: z.union([z.string(), z.number()]), status: z.string() })),
});
