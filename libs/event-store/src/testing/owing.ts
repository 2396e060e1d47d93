import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { NewEffect, SpendSettled } from '../shapes';
import { emptyOutcome } from '../batch-statements';
import { writeBatch } from '../transaction';

/** An effect as small as one can be, of kind `toy.call` unless said otherwise. */
export function effect(over: Partial<NewEffect> = {}): NewEffect {
  const slot = over.slot ?? randomUUID();
  return {
    slot,
    generation: 1,
    tenant: 'default',
    subject: 'contact:1',
    streamId: `toy-${slot}`,
    kind: 'toy.call',
    purpose: 'call',
    rootCause: 'cause',
    orderKey: undefined,
    request: { slot },
    requestHash: slot,
    meta: { rootCause: 'cause', causedBy: 'cause' },
    ...over,
  };
}

/** Owes effects in one batch, the way a decision does. */
export const owe = (
  pool: Pool,
  effects: NewEffect[],
  more: {
    service?: string;
    superseded?: { streamId: string; kind: string; purpose: string }[];
    released?: string[];
    settledSpend?: SpendSettled[];
  } = {},
): Promise<void> =>
  writeBatch(
    pool,
    more.service ?? 'toy-service',
    { ...emptyOutcome(), effects, ...more },
    { open: ['default:contact:1'], parked: [] },
  );

/** So many effects alike. */
export const effects = (n: number, over: Partial<NewEffect> = {}): NewEffect[] =>
  Array.from({ length: n }, () => effect(over));

/** The value, which a test knows to be there. */
export function sure<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none');
  return value;
}
