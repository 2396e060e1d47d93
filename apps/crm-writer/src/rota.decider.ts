import { createHash } from 'node:crypto';
import { type CrmEvent, type RecordRef, subjectOf } from '#libs/contracts';
import { stepKey } from './lookups';

/** The turns of one rota in one month. */
export interface Rota {
  taken: number;
  /** Number of each owner's last turn. */
  last: Readonly<Record<string, number>>;
  /** Who has which record of which trigger already. */
  owners: Readonly<Record<string, string>>;
}

export const freshRota: Rota = { taken: 0, last: {}, owners: {} };

export type TurnEvent = Extract<CrmEvent, { type: 'TurnTaken' }>;

export const isOfRota = (event: CrmEvent): event is TurnEvent => event.type === 'TurnTaken';

/** A record wants the next in turn. `month` tells the order of those who had no turn in it yet. */
export interface TurnWanted {
  recipe: string;
  recipeVersion: string;
  step: string;
  rootCause: string;
  record: RecordRef;
  rota: string;
  among: readonly string[];
  month: string;
}

const ROTA = 'rota';

/** The record of a rota's stream: one a month, of the trigger's own time, so that no stream grows without end. */
export const rotaOf = (rota: string, at: string): RecordRef => ({ type: ROTA, id: `${rota}.${at.slice(0, 7)}` });

export const evolveRota = ({ taken, last, owners }: Rota, { data }: TurnEvent): Rota => ({
  taken: taken + 1,
  last: { ...last, [data.owner]: taken + 1 },
  owners: { ...owners, [turnKey(data)]: data.owner },
});

/**
 * Gives the turn to whoever had the last one longest ago, once for each record, step and root cause: asked again, it says
 * nothing new. Those who had none yet come first, in an order that each month draws anew, so that no list's first one
 * begins every month.
 */
export function onTurnWanted(rota: Rota, wanted: TurnWanted): TurnEvent[] {
  if (turnKey(wanted) in rota.owners) return [];
  const [owner] = [...new Set(wanted.among)]
    .map((one) => ({ one, last: rota.last[one] ?? 0, drawn: drawn(`${wanted.rota} ${wanted.month} ${one}`) }))
    .sort((a, b) => a.last - b.last || (a.drawn < b.drawn ? -1 : 1))
    .map(({ one }) => one);
  if (owner === undefined) return [];
  const { recipe, recipeVersion, step, rootCause, rota: name, record } = wanted;
  return [{ type: 'TurnTaken', data: { recipe, recipeVersion, step, rootCause, rota: name, record, owner } }];
}

const turnKey = (turn: { recipe: string; step: string; rootCause: string; record: RecordRef }): string =>
  `${stepKey(turn)}|${subjectOf(turn.record)}`;

const drawn = (text: string): string => createHash('sha256').update(text).digest('hex');
