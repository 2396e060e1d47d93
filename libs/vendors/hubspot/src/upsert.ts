import type { Answer, RecordRef } from '#libs/contracts';
import type { Client } from '@hubspot/api-client';
import { type Made, sorted, typeIdOf } from './answering';
import { existingId, refusalOf } from './errors';
import { answerOf } from './parts';

/** A record known by a unique property, whose value is among the properties; `record` is the one that wants it. */
export interface UpsertRequest {
  record: RecordRef;
  upsert: { object: string; by: string; properties: Record<string, string> };
}

/**
 * Writes to the record of that key, or creates it. Said again it changes nothing, so an unknown call may be repeated.
 * HubSpot upserts no contact in part by its address: such a one is looked for first.
 */
export async function upsert(client: Client, { upsert }: UpsertRequest, signal: AbortSignal): Promise<Answer<Made>> {
  if (isByEmail({ upsert })) return sorted(signal, () => byEmail(client, upsert.properties));
  const { object, by, properties } = upsert;
  const input = { id: properties[by] ?? '', idProperty: by, properties, objectWriteTraceId: 'upsert' };
  const codes = [{ said: /non-unique/i, code: 'not-unique' }];
  const call = () => client.crm.objects.batchApi.upsert(typeIdOf(object), { inputs: [input] });
  const answer = answerOf(input, await sorted(signal, call, { codes }));
  return answer.outcome === 'done' ? { outcome: 'done', value: { id: answer.value.id } } : answer;
}

/** Whether it takes a look, and so more calls than one. */
export const isByEmail = ({ upsert: { object, by } }: { upsert: { object: string; by: string } }): boolean =>
  object === 'contact' && by === 'email';

async function byEmail(client: Client, properties: Record<string, string>): Promise<Made> {
  const { basicApi } = client.crm.objects;
  const { email = '', ...others } = properties;
  const found = await idByEmail(client, email);
  if (found === undefined) {
    const made = await create(client, properties);
    if (made.isNew) return { id: made.id };
    return update(made.id);
  }
  return update(found);

  // The address may be one of several of the contact: its first one stays as it is.
  async function update(id: string): Promise<Made> {
    if (Object.keys(others).length > 0) await basicApi.update(CONTACT, id, { properties: others });
    return { id };
  }
}

const CONTACT = typeIdOf('contact');

async function idByEmail({ crm: { objects } }: Client, email: string): Promise<string | undefined> {
  try {
    return (await objects.basicApi.getById(CONTACT, email, ['email'], undefined, undefined, false, 'email')).id;
  } catch (error) {
    if (refusalOf(error, 404) === undefined) throw error;
    return undefined;
  }
}

/** Creates a contact, or tells which one somebody else has created meanwhile. */
async function create({ crm: { objects } }: Client, properties: Record<string, string>) {
  try {
    return { id: (await objects.basicApi.create(CONTACT, { properties, associations: [] })).id, isNew: true };
  } catch (error) {
    const id = existingId(refusalOf(error, 409));
    if (id === undefined) throw error;
    return { id, isNew: false };
  }
}
