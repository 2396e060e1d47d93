import { Gauge } from './metrics';

interface Rates {
  most?: number;
  remaining?: number;
  intervalMs?: number;
  dailyMost?: number;
  dailyRemaining?: number;
}

const gauges: Record<keyof Rates, Gauge<'tenant'>> = {
  most: new Gauge('hubspot_rate_limit_max', 'Calls that HubSpot allows in its interval, by tenant', ['tenant']),
  remaining: new Gauge('hubspot_rate_limit_remaining', 'Calls left in the interval, by tenant', ['tenant']),
  intervalMs: new Gauge('hubspot_rate_limit_interval_milliseconds', 'How long the interval is, by tenant', ['tenant']),
  dailyMost: new Gauge('hubspot_rate_limit_daily_max', 'Calls that HubSpot allows a day, by tenant', ['tenant']),
  dailyRemaining: new Gauge('hubspot_rate_limit_daily_remaining', 'Calls left of the day, by tenant', ['tenant']),
};

const refused = new Gauge('hubspot_token_refused', '1 where HubSpot does not take the token of a tenant, else 0', [
  'tenant',
]);

/** Where it is said that a token is refused, and that it is taken again. */
interface Lines {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Measures what HubSpot says of tenants' limits and tokens; a token that is refused is told once, and its return. */
export function accountWatch(lines: Lines) {
  const bad = new Set<string>();
  return {
    rates(tenant: string, rates: Rates): void {
      for (const [name, value] of Object.entries(rates)) gauges[name as keyof Rates].set(value as number, tenant);
    },
    token(tenant: string, isTaken: boolean): void {
      refused.set(isTaken ? 0 : 1, tenant);
      if (isTaken === !bad.has(tenant)) return;
      if (isTaken) {
        bad.delete(tenant);
        lines.info({ tenant }, 'HubSpot takes the token again: what is owed goes on');
      } else {
        bad.add(tenant);
        lines.error(
          { tenant },
          'HubSpot does not take the token of a tenant: what is owed there waits until it is right',
        );
      }
    },
  };
}
