/**
 * What an effect is booked with: its answered call's cost, once more for each recorded repeat, since a call whose
 * outcome stayed unknown may have been billed as well. The `cost` of the ledger is the answered call's alone.
 */
export const bookedCost = (cost: Record<string, number> | null, repeats: number): Record<string, number> =>
  Object.fromEntries(Object.entries(cost ?? {}).map(([unit, n]) => [unit, n * (1 + repeats)]));
