import { type Answer, heygenFailureOf } from '#libs/contracts';
import { Gauge } from '#libs/platform';

const missing = new Gauge(
  'heygen_credit_missing',
  '1 where HeyGen takes no order of a tenant for want of credit, else 0',
  ['tenant'],
);

/** Where it is said that nothing pays for videos, and that something does again. */
export interface Lines {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Tells once that HeyGen refuses orders for want of credit, and once that it takes them again; measures it in between. */
export function creditWatch(lines: Lines) {
  const poor = new Set<string>();
  return {
    answered(tenant: string, answer: Answer): void {
      const isUnpaid = answer.outcome !== 'done' && heygenFailureOf(answer.code) === 'unpaid';
      if (isUnpaid === poor.has(tenant) || (!isUnpaid && answer.outcome !== 'done')) return;
      missing.set(isUnpaid ? 1 : 0, tenant);
      if (isUnpaid) {
        poor.add(tenant);
        lines.error({ tenant }, 'HeyGen has no credit left: videos wait until there is some');
      } else {
        poor.delete(tenant);
        lines.info({ tenant }, 'HeyGen takes orders again: the videos that waited are made');
      }
    },
  };
}
