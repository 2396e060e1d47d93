import type { SubscriptionNeed } from '#libs/recipes';
import type { AppSubscription, AppWebhooks } from '#libs/vendors/hubspot';
import { eventOf, nameOf, tells } from '../subscriptions';
import { judgeClock } from './account';
import { type Finding, finding, listed } from './finding';

export interface WebhookFacts {
  where: string;
  needs: readonly SubscriptionNeed[];
  webhooks: AppWebhooks;
  /** Where they should go; unknown without a public address. */
  target?: string;
}

/** Judges what an app is subscribed to by what recipes wait for. Pure. */
export function judgeWebhooks({ where, needs, webhooks, target }: WebhookFacts): Finding[] {
  const { subscriptions, targetUrl } = webhooks;
  const unused = subscriptions.filter((one) => one.active && !needs.some((need) => tells(one, need)));
  return [
    ...(target !== undefined && targetUrl !== target ? [elsewhere(where, targetUrl, target)] : []),
    ...needs.flatMap((need) => judgeNeed(need, subscriptions, where)),
    ...(unused.length > 0
      ? [
          finding(
            'subscription-unused',
            where,
            `No recipe waits for ${listed(unused.map(nameOf))}`,
            'Nothing needs to be done; each event costs a record on the log.',
          ),
        ]
      : []),
  ];
}

function elsewhere(where: string, targetUrl: string | undefined, target: string): Finding {
  const what = `Webhooks go ${targetUrl === undefined ? 'nowhere' : `to ${targetUrl}`}, and the gateway answers for ${target}: signatures are made over that address`;
  return finding(
    'target-differs',
    where,
    what,
    `Set the app's target URL to ${target}, or PUBLIC_URL to what it should be.`,
  );
}

function judgeNeed(need: SubscriptionNeed, subscriptions: readonly AppSubscription[], where: string): Finding[] {
  const telling = subscriptions.filter((one) => tells(one, need));
  if (telling.some(({ active }) => active)) return [];
  const name = eventOf(need);
  const users = listed(need.for);
  if (need.fate) {
    const what = `Nobody tells of ${name}: what ${users} began for such a record goes on until HubSpot refuses it`;
    return [finding('fate-untold', where, what, `Subscribe the app to ${name}.`)];
  }
  return telling.length > 0
    ? [
        finding(
          'subscription-inactive',
          where,
          `The subscription to ${name} is not active, and ${users} wait for it`,
          'Activate it in the app; `refrain init hubspot-webhooks` does so for all that are needed.',
        ),
      ]
    : [
        finding(
          'subscription-missing',
          where,
          `The app is not subscribed to ${name}, and ${users} wait for it`,
          `Subscribe the app to ${name}; \`refrain init hubspot-webhooks\` does so for all that are needed.`,
        ),
      ];
}

/** What the gateway answered, or why there is no answer. */
export type Reply = { status: number; problem?: string } | { failed: string };

/** Whether an unsigned call was answered as a gateway does. */
export const asksForSignature = (reply: Reply): boolean => 'problem' in reply && reply.problem === 'signature-missing';

export interface DoorFacts {
  /** The address that HubSpot calls. */
  address: string;
  unsigned: Reply;
  /** Calls signed by the app's secret, and by one that nobody knows; absent where the secret is not known here. */
  signed?: Reply;
  forged?: Reply;
  clock?: { theirs: number; ours: number };
}

/** Judges how the gateway answers at its public address. Pure. */
export function judgeDoor({ address, unsigned, signed, forged, clock }: DoorFacts): Finding[] {
  if ('failed' in unsigned) {
    const remedy =
      'See that the gateway runs and that its public address leads to it from outside: DNS, proxy, certificate, PUBLIC_URL.';
    return [finding('gateway-unreachable', address, `Nobody answers there (${unsigned.failed})`, remedy)];
  }
  if (unsigned.status >= 300 && unsigned.status < 400) {
    const what = `It answers ${unsigned.status}: HubSpot follows no redirection, and signs the address that it calls`;
    return [finding('gateway-redirects', address, what, 'Set PUBLIC_URL to the address that answers by itself.')];
  }
  if (!asksForSignature(unsigned)) return [strange(address, 'a call without a signature', unsigned)];
  const clocks = judgeClock(clock, 'the gateway', address);
  if (!signed || !forged) {
    const remedy = 'Set HUBSPOT_CLIENT_SECRET here as the gateway has it.';
    return [
      ...clocks,
      finding(
        'signature-untested',
        address,
        'Its signature check was not tried: the app’s client secret is not known here',
        remedy,
      ),
    ];
  }
  return [...clocks, ...judgeSigned(address, signed), ...judgeForged(address, forged)];
}

function judgeSigned(address: string, reply: Reply): Finding[] {
  if ('status' in reply && reply.status === 200) return [];
  const problem = 'problem' in reply ? reply.problem : undefined;
  if (problem === 'timestamp-stale') {
    const what = 'It takes a call of now for one that is older or newer than five minutes';
    return [
      finding(
        'clock-skew',
        address,
        what,
        'Let a time service (NTP) set the clocks of this machine and of the gateway’s.',
      ),
    ];
  }
  if (problem !== 'signature-mismatch') return [strange(address, 'a signed call without events', reply)];
  const what =
    'It refuses a call that is signed by the secret that is set here: it has another secret, or another PUBLIC_URL';
  const remedy =
    'Give gateway and doctor the client secret of the app (HUBSPOT_CLIENT_SECRET) and the same PUBLIC_URL.';
  return [finding('signature-refused', address, what, remedy)];
}

function judgeForged(address: string, reply: Reply): Finding[] {
  if ('failed' in reply || reply.status >= 300) return [];
  const what = 'It takes a call that is signed by nobody’s secret';
  return [
    finding(
      'signature-unverified',
      address,
      what,
      'See what answers at this address: it is no gateway of this version.',
    ),
  ];
}

function strange(address: string, call: string, reply: Reply): Finding {
  const answer =
    'failed' in reply ? reply.failed : `${reply.status}${reply.problem === undefined ? '' : ` ${reply.problem}`}`;
  const remedy = 'See what stands between: a proxy must hand on path, headers and body as they came.';
  return finding('gateway-strange', address, `It answers ${call} with ${answer}, as no gateway does`, remedy);
}
