import { numberOf, textOf, type JsonObject } from '../frame/json.ts';
import { invalid } from './errors.ts';

/** One page of a list, behind the item that `after` names. */
export function page<Item extends { id: string }>(
  items: readonly Item[],
  query: JsonObject,
  shown: (item: Item) => JsonObject,
  most = 100,
): JsonObject {
  const limit = numberOf(query['limit']) ?? Math.min(20, most);
  if (limit < 1 || limit > most) throw invalid(`Invalid 'limit': must be from 1 to ${most}.`, 'limit');
  const after = textOf(query['after']);
  const from = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
  const data = items.slice(from, from + limit);
  return {
    object: 'list',
    data: data.map(shown),
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < items.length,
  };
}
