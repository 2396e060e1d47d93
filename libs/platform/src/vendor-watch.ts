import type { Answer } from '#libs/contracts';

/** Where it is said that a vendor answers nothing, and that it does again. */
export interface AlertLines {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What may end a vendor's answers for all calls of an account, and what is said of it. */
export interface Standstill<Reason extends string> {
  /** Why an answer says that none will come for now; undefined where it does not say so. */
  stoppedBy(answer: Answer): Reason | undefined;
  /** What is told of each reason. */
  stops: Readonly<Record<Reason, string>>;
  /** What is told once it is over. */
  goesOn: string;
  /** Measures a reason: 1 while nothing is answered for it, else 0. */
  measure(value: 0 | 1, reason: Reason, tenant: string): void;
}

export type VendorWatch = ReturnType<typeof vendorWatch>;

/**
 * Tells once, of each tenant, why a vendor answers nothing, and once that it does again; measures it in between. Only an
 * answer proves that it does: one that fails otherwise, such as for a busy vendor, says nothing of the account.
 */
export function vendorWatch<Reason extends string>(
  { stoppedBy, stops, goesOn, measure }: Standstill<Reason>,
  lines: AlertLines,
) {
  const stopped = new Map<string, Reason>();
  return {
    /** `tenant` is left out where all tenants share one account. */
    answered(answer: Answer, tenant = ''): void {
      const [before, reason] = [stopped.get(tenant), stoppedBy(answer)];
      if (reason === before || (reason === undefined && answer.outcome !== 'done')) return;
      const whose = tenant === '' ? {} : { tenant };
      if (before !== undefined) measure(0, before, tenant);
      if (reason === undefined) {
        stopped.delete(tenant);
        lines.info(whose, goesOn);
      } else {
        stopped.set(tenant, reason);
        measure(1, reason, tenant);
        lines.error({ ...whose, ...(answer.outcome === 'done' ? {} : { code: answer.code }), reason }, stops[reason]);
      }
    },
  };
}
