import type { Given, Json } from '#libs/expressions';
import { type Rejection, rejectionOf, type StepBase, type StepBindings, unmetBy } from './step';
import { plain, type Text } from './text';

/** Gives a record the next one in turn, ready to be filled. */
export interface AssignStep extends StepBase {
  kind: 'assign';
  rota: Text;
  /** Ids of owners, each a text, a list of them, or several with commas between. */
  among: readonly Text[];
  /** What must be read of the record first. */
  reads: string[];
}

/** Whose turn is wanted, or why nobody's is. */
export type PreparedAssign = { rota: string; among: string[] } | { rejected: Rejection };

/** What an assign step leaves for the steps behind it. */
export const assignFields = ['owner', 'rota'];

const ROTA = /^[A-Za-z0-9][\w-]{0,62}$/;
const MOST_OWNERS = 500;

/** Fills an assign step: the rota's name, and the owners who take turns, each once. */
export function prepareAssign(step: AssignStep, bindings: StepBindings, given?: Given): PreparedAssign {
  const unmet = step.when && unmetBy(step.when, { ...bindings }, given);
  if (unmet) return { rejected: unmet };
  const fill = (text: Text): Json => text.evaluate({ ...bindings }, given);
  try {
    const rota = plain(fill(step.rota)).trim();
    if (!ROTA.test(rota)) return noRota;
    const among = [...new Set(step.among.flatMap((text) => ownersIn(fill(text))))];
    if (among.length === 0) return nobody;
    return among.length > MOST_OWNERS ? tooMany : { rota, among };
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
}

const ownersIn = (value: Json): string[] =>
  (Array.isArray(value) ? value.map(plain) : plain(value).split(/[,;]/))
    .map((owner) => owner.trim())
    .filter((owner) => owner !== '');

const noRota: PreparedAssign = {
  rejected: { code: 'no-rota', reason: 'no rota is named: its name is letters, digits, - and _, 63 of them at most' },
};
const nobody: PreparedAssign = { rejected: { code: 'nobody', reason: 'there is nobody to take turns' } };
const tooMany: PreparedAssign = {
  rejected: { code: 'no-rota', reason: `more than ${String(MOST_OWNERS)} owners take turns` },
};
