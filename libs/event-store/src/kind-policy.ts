import { type Budgets, budgetsJson } from './spend';

/** How the ledger treats one kind of effect (protocol 14). Times are in milliseconds. */
export interface KindPolicy {
  kind: string;
  /** The call must have ended by then; the lease is twice as long (protocol 17). */
  deadlineMs: number;
  /** How often an unknown call may be repeated before it is held for a person. */
  maxRepeats: number;
  /** Whose gate it passes, together with the tenant; the kind's name up to its first dot, unless said otherwise. */
  vendor?: string;
  /** What the vendor allows. Limits of one tenant, vendor and name are one limit, whichever kinds name it. */
  limits?: VendorLimit[];
  /** How many effects of one tenant, lane and type of subject one call may carry; it takes of the limits once. */
  mostInBatch?: number;
  /** Its calls cost money: each is made only where its budgets have room, and reserves from them. */
  costsMoney?: boolean;
}

/**
 * One limit of a vendor, shared by all replicas and services. It can only under-admit: a call counts from its claim
 * until the window after its *end*, so whenever the vendor saw it, no window of the vendor's holds more than `most`.
 */
export type VendorLimit = {
  name: string;
  most: number;
  /** The tenant it is for; one without counts for all tenants that have none of their own of that name. */
  tenant?: string;
  /** How much of it one effect takes at most; 1 unless said otherwise. */
  takes?: number;
  /** The same of any later attempt, which may have to look first; as the first one unless said otherwise. */
  takesAgain?: number;
  /** The codes of refusals by which the vendor says that this limit is used up: they pause it for everyone. */
  pausedBy?: string[];
  /**
   * The codes of refusals by which the vendor says that it takes nothing for now, as without credit: they pause it for
   * everyone, too; afterwards one call at a time is let through until one is done.
   */
  stoppedBy?: string[];
} & (
  | { /** A rolling window. */ perMs: number }
  | {
      /** A day, until midnight of this IANA time zone. */ dayIn: string;
      /** The code of the refusal by which the vendor says that the day is used up: it pauses the limit until it ends. */
      spentBy?: string;
    }
  | {
      /** Jobs that go on after the call's return, until a decision releases them or they are this old. */ jobMs: number;
    }
);

/** The vendor whose gate a kind passes. */
export const vendorOf = ({ kind, vendor }: KindPolicy): string => vendor ?? kind.split('.')[0] ?? kind;

/** The kinds whose calls cost money. */
export const costly = (policies: KindPolicy[]): string[] =>
  policies.filter((p) => p.costsMoney).map(({ kind }) => kind);

/** Policies as the parallel arrays that `claim_effects` takes, and what is budgeted for those that cost money. */
export function claimParameters(policies: KindPolicy[], budgets?: () => Budgets): unknown[] {
  const costing = costly(policies);
  const limits = policies.flatMap((p) => (p.limits ?? []).map((limit) => ({ kind: p.kind, ...limit })));
  return [
    policies.map((p) => p.kind),
    policies.map((p) => p.deadlineMs),
    policies.map(vendorOf),
    limits.map((l) => l.kind),
    limits.map((l) => l.name),
    limits.map((l) => l.takes ?? 1),
    limits.map((l) => l.most),
    limits.map((l) => ('perMs' in l ? l.perMs : null)),
    limits.map((l) => ('dayIn' in l ? l.dayIn : null)),
    limits.map((l) => ('jobMs' in l ? l.jobMs : null)),
    limits.map((l) => l.tenant ?? null),
    limits.map((l) => l.takesAgain ?? l.takes ?? 1),
    policies.map((p) => p.mostInBatch ?? 1),
    costing,
    costing.length > 0 ? budgetsJson(budgets) : null,
  ];
}
