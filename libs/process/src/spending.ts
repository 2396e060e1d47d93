import type { Budgets, ExhaustedBudget } from '#libs/event-store';

/** What may be spent by calls, and who is told where there is no more. */
export interface Spending {
  budgets?: () => Budgets;
  /** Told once for each budget and day, by one of all replicas. */
  onExhausted?: (budget: ExhaustedBudget) => void;
}
