import type { Answer, RecordRef } from '#libs/contracts';
import type { Client } from '@hubspot/api-client';
import { type Made, sorted } from './answering';

/** A record's place on a list, by the list's id. */
export interface ListRequest {
  record: RecordRef;
  list: { list: string; change: 'add' | 'remove' };
}

/** Puts a record on a list or takes it from it. Done again it changes nothing, so an unknown call may be repeated. */
export async function changeList(client: Client, request: ListRequest, signal: AbortSignal): Promise<Answer<Made>> {
  const { record, list } = request;
  const { membershipsApi } = client.crm.lists;
  const answer = await sorted(signal, () => membershipsApi[list.change](list.list, [record.id]), {
    forbidden: 'stop',
    codes: [
      { said: /dynamic/i, code: 'list-is-dynamic' },
      { status: 404, code: 'list-missing' },
    ],
  });
  if (answer.outcome !== 'done') return answer;
  if (list.change === 'add' && answer.value.recordIdsMissing.includes(record.id))
    return { outcome: 'stop', code: 'record-missing', message: 'HubSpot knows no such record' };
  return { outcome: 'done', value: {} };
}
