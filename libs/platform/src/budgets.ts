import { dollars } from './settings';
import type { AccountConfig, TenantDeclaration } from './tenants';

/** The settings of an app whose calls cost money. */
export const budgetSettings = {
  BUDGET_USD_PER_DAY: dollars()
    .optional()
    .describe(
      'What calls may cost a day, in US dollars, for each tenant whose entry in TENANTS_FILE says nothing else; without it there is no bound. The same everywhere',
    ),
};

/** What the settings and the file of tenants say that may be spent a day, in US dollars; days begin in the accounts' time zones. */
export function declaredBudgets(
  config: Pick<AccountConfig, 'TENANTS_FILE' | 'HUBSPOT_TIME_ZONE'> & { BUDGET_USD_PER_DAY?: number | undefined },
) {
  const declared = config.TENANTS_FILE ?? [];
  const of = <Value>(value: (one: TenantDeclaration) => Value | undefined): Record<string, Value> =>
    Object.fromEntries(
      declared.flatMap((one) => {
        const given = value(one);
        return given === undefined ? [] : [[one.tenant, given]];
      }),
    );
  return {
    perTenant: config.BUDGET_USD_PER_DAY,
    tenants: of(({ budgets }) => budgets?.usdPerDay),
    zones: of(({ hubspot }) => hubspot.timeZone),
    ...(declared.length === 0 ? { zone: config.HUBSPOT_TIME_ZONE } : {}),
  };
}
