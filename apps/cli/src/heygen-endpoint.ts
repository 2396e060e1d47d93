import type { WebhookEndpoint } from '#libs/vendors/heygen';

/** The ends of a render, which is all that the hub is called for. */
export const WANTED_EVENTS = ['avatar_video.success', 'avatar_video.fail'] as const;

/** One change of HeyGen's endpoints. To register and to rotate brings a secret. */
export type EndpointChange =
  | { change: 'register'; url: string; events: readonly string[] }
  | { change: 'choose'; id: string; events: readonly string[] }
  | { change: 'rotate'; id: string };

/** What is to be done so that HeyGen calls the gateway, and what else is there. */
export interface EndpointPlan {
  url: string;
  changes: EndpointChange[];
  /** Endpoints elsewhere: they are called beside. */
  others: { id: string; url: string; events: string[] }[];
}

/**
 * Plans the endpoint of the gateway; nothing is deleted. Throws a sentence where HeyGen has it twice, since each of the two
 * signs by a secret of its own, and where there is none to make a new secret for. Pure.
 */
export function endpointPlan(
  endpoints: readonly WebhookEndpoint[],
  { url, rotate }: { url: string; rotate: boolean },
): EndpointPlan {
  const [own, twin] = endpoints.filter((one) => sameUrl(one.url, url));
  const others = endpoints.filter((one) => !sameUrl(one.url, url)).map(({ id, url, events }) => ({ id, url, events }));
  if (own && twin)
    throw new Error(
      `HeyGen has ${url} more than once (${own.id}, ${twin.id}), each with a secret of its own: delete all but one in HeyGen`,
    );
  if (!own && rotate) throw new Error(`HeyGen has no endpoint ${url}: without --rotate it is registered`);
  if (!own) return { url, changes: [{ change: 'register', url, events: WANTED_EVENTS }], others };
  const isMissing = own.events.length > 0 && WANTED_EVENTS.some((event) => !own.events.includes(event));
  const events = [...new Set([...own.events, ...WANTED_EVENTS])];
  return {
    url,
    changes: [
      ...(isMissing ? [{ change: 'choose' as const, id: own.id, events }] : []),
      ...(rotate ? [{ change: 'rotate' as const, id: own.id }] : []),
    ],
    others,
  };
}

const sameUrl = (one: string, other: string): boolean => bare(one) === bare(other);
const bare = (url: string): string => (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, '');
