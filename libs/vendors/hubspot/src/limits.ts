/** How much a portal's plan allows. */
export interface HubspotPlan {
  perTenSeconds: number;
  perDay: number;
  /** The account's IANA time zone. */
  timeZone: string;
}

/**
 * HubSpot's limits on an effect that makes at most `calls` calls, `again` where an earlier attempt may have been obeyed, with the policies by which its refusals name them
 * (https://developers.hubspot.com/docs/api/usage-details).
 */
export const hubspotLimits = (plan: HubspotPlan, calls = 1, again = calls) => [
  {
    name: 'ten-secondly',
    most: plan.perTenSeconds,
    perMs: 10_000,
    takes: calls,
    takesAgain: again,
    pausedBy: ['TEN_SECONDLY_ROLLING'],
  },
  { name: 'daily', most: plan.perDay, dayIn: plan.timeZone, takes: calls, takesAgain: again, pausedBy: ['DAILY'] },
];
