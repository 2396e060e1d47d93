import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listOf, objectOf, textOf } from '../../frame/json.ts';
import type { Crm } from '../crm/crm.ts';
import type { List } from '../crm/lists.ts';
import { invalid } from '../errors.ts';

export const shownList = ({ id, name, type, processingType, members }: List): object => ({
  listId: id,
  name,
  objectTypeId: type.id,
  processingType,
  processingStatus: 'COMPLETE',
  size: members.size,
});

/** Lists, and who is on them: only such as are filled by hand take members. */
export function addListRoutes(app: FastifyInstance, crm: Crm): void {
  const list = (request: FastifyRequest): List => crm.lists.get(textOf(objectOf(request.params)['listId']) ?? '');
  const filledByHand = (request: FastifyRequest): List => {
    const found = list(request);
    if (found.processingType === 'DYNAMIC')
      throw invalid(`List ${found.id} has processing type DYNAMIC: its memberships cannot be changed directly.`);
    return found;
  };
  const idsOf = (request: FastifyRequest): string[] => {
    if (!Array.isArray(request.body)) throw invalid('Invalid input JSON: a list of record ids is needed');
    return listOf(request.body).map((id) => textOf(id) ?? '');
  };
  for (const root of ['/crm/v3/lists', '/crm/lists/2026-03', '/crm/lists/2026-09']) {
    app.get(`${root}/:listId`, async (request) => ({ list: shownList(list(request)) }));
    app.get(`${root}/:listId/memberships`, async (request) => ({
      results: [...list(request).members].map((recordId) => ({ recordId })),
    }));
    app.put(`${root}/:listId/memberships/add`, async (request) => {
      const { members, type } = filledByHand(request);
      const ids = idsOf(request);
      const known = ids.filter((id) => crm.records.find(type, id) !== undefined);
      const recordsIdsAdded = known.filter((id) => !members.has(id));
      for (const id of known) members.add(id);
      return { recordsIdsAdded, recordIdsRemoved: [], recordIdsMissing: ids.filter((id) => !known.includes(id)) };
    });
    app.put(`${root}/:listId/memberships/remove`, async (request) => {
      const { members } = filledByHand(request);
      const ids = idsOf(request);
      const recordIdsRemoved = ids.filter((id) => members.delete(id));
      const recordIdsMissing = ids.filter((id) => !recordIdsRemoved.includes(id));
      return { recordsIdsAdded: [], recordIdsRemoved, recordIdsMissing };
    });
  }
}
