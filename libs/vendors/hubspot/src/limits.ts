import { NOT_INSTALLED, TOKEN_REFUSALS } from './errors';

/** What HubSpot allows an account's app, and when its day begins. */
export interface HubspotPlan {
  /** The tenant whose account it is; without it everyone's that has no other. */
  tenant?: string;
  perTenSeconds: number;
  /** Absent where there is no daily limit. */
  perDay?: number;
  /** The account's IANA time zone. */
  timeZone: string;
  associationsPerTenSeconds?: number;
  associationsPerDay?: number;
}

/** What an account has bought: limits go by it (https://developers.hubspot.com/docs/api/usage-details). */
export interface HubspotTier {
  tier: 'starter' | 'professional' | 'enterprise';
  /** How many API limit increases; they change nothing for apps that were installed by OAuth. */
  limitIncreases: number;
  isOauth: boolean;
  timeZone: string;
}

const perDayOf = { starter: 250_000, professional: 625_000, enterprise: 1_000_000 };
const INCREASE = 1_000_000;

/** The limits of an account by its tier. */
export function planOf({ tier, limitIncreases, isOauth, timeZone }: HubspotTier): HubspotPlan {
  const isIncreased = limitIncreases > 0;
  const associations = tier === 'starter' ? 100 : 150;
  const own = isOauth
    ? { perTenSeconds: 110 }
    : {
        perTenSeconds: isIncreased ? 250 : tier === 'starter' ? 100 : 190,
        perDay: perDayOf[tier] + limitIncreases * INCREASE,
      };
  return {
    timeZone,
    ...own,
    associationsPerTenSeconds: isIncreased ? 200 : associations,
    associationsPerDay: isIncreased ? 1_000_000 : 500_000,
  };
}

/** How many calls of each family an effect makes at most. */
export interface Calls {
  /** All but searches and batches of associations, which HubSpot exempts from its ten seconds. */
  calls?: number;
  searches?: number;
  /** Reads and writes of associations; those of single records count among the calls too. */
  associations?: number;
}

const SEARCHES_PER_SECOND = 5;

/** Those of the Free and Starter tiers, where the tier is not known. */
const LEAST = { perTenSeconds: 100, perDay: 500_000 };

/**
 * HubSpot's limits on an effect that makes at most so many calls, `again` where an earlier attempt may have been obeyed,
 * with the policies by which its refusals name them. A token that is refused pauses them too: then nothing of that account
 * is called, and all others go on.
 */
export function hubspotLimits(
  plans: HubspotPlan | readonly HubspotPlan[],
  first: Calls | number = 1,
  again: Calls | number = first,
) {
  const [once, later] = [takesOf(first), takesOf(again)];
  return (Array.isArray(plans) ? (plans as readonly HubspotPlan[]) : [plans as HubspotPlan]).flatMap((plan) =>
    limitsOf(plan)
      .map(({ by, ...limit }) => ({
        ...limit,
        ...(plan.tenant === undefined ? {} : { tenant: plan.tenant }),
        takes: once[limit.name],
        takesAgain: later[limit.name],
        pausedBy: [...(by === undefined ? [] : [by]), ...TOKEN_REFUSALS, NOT_INSTALLED],
      }))
      .filter(({ most, takes, takesAgain }) => most > 0 && Math.max(takes, takesAgain) > 0),
  );
}

const limitsOf = ({ perTenSeconds, perDay = 0, timeZone: dayIn, ...own }: HubspotPlan) =>
  [
    { name: 'ten-secondly', most: perTenSeconds, perMs: 10_000, by: 'TEN_SECONDLY_ROLLING' },
    { name: 'search', most: SEARCHES_PER_SECOND, perMs: 1_000, by: 'SECONDLY' },
    { name: 'daily', most: perDay, dayIn, spentBy: 'DAILY', by: undefined },
    { name: 'associations', most: own.associationsPerTenSeconds ?? LEAST.perTenSeconds, perMs: 10_000, by: undefined },
    { name: 'associations-daily', most: own.associationsPerDay ?? LEAST.perDay, dayIn, by: undefined },
  ] as const;

function takesOf(given: Calls | number) {
  const { calls = 0, searches = 0, associations = 0 } = typeof given === 'number' ? { calls: given } : given;
  return {
    'ten-secondly': calls,
    search: searches,
    daily: calls + searches,
    associations,
    'associations-daily': associations,
  };
}
