import type { Answer, RecordRef } from '#libs/contracts';
import type { Sdk } from './sdk';
import { type Made, sorted, typeIdOf } from './answering';
import { existingId, refusalOf } from './errors';
import { answerOf } from './parts';

/** A record known by a unique property, whose value is among the properties; `record` is the one that wants it. */
export interface UpsertRequest {
  record: RecordRef;
  upsert: {
    object: string;
    by: string;
    properties: Record<string, string>;
    /** Records that it is tied to, each known by a unique property. */
    associate?: Known[];
  };
}

/** A record by the value of a unique property, or a contact by its address. */
interface Known {
  object: string;
  by: string;
  value: string;
}

/**
 * Writes to the record of that key, or creates it, and ties it to others. Said again it changes nothing, so an unknown
 * call may be repeated. HubSpot upserts no contact in part by its address: such a one is looked for first. Where a record
 * that it is tied to is not there (yet), the code is `association-missing`.
 */
export async function upsert(client: Sdk, request: UpsertRequest, signal: AbortSignal): Promise<Answer<Made>> {
  const written = await write(client, request, signal);
  const { object, associate = [] } = request.upsert;
  if (written.outcome !== 'done' || associate.length === 0) return written;
  const { id = '' } = written.value;
  const tied = await sorted(signal, () => tie(client, { type: object, id }, associate));
  if (tied.outcome !== 'done') return tied;
  const { value: missing } = tied;
  if (missing === undefined) return written;
  const message = `there is no ${missing.object} of that ${missing.by}`;
  return { outcome: 'retry', code: 'association-missing', message, refused: false };
}

/** Ties a record to others by HubSpot's default association of their types; resolves to the first that is not there. */
async function tie(client: Sdk, record: RecordRef, others: readonly Known[]): Promise<Known | undefined> {
  for (const other of others) {
    const id = await idBy(client, other);
    if (id === undefined) return other;
    const [from, to] = [typeIdOf(record.type), typeIdOf(other.object)];
    await client.crm.associations.v4.basicApi.createDefault(from, record.id, to, id);
  }
  return undefined;
}

async function write(client: Sdk, { upsert }: UpsertRequest, signal: AbortSignal): Promise<Answer<Made>> {
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

async function byEmail(client: Sdk, properties: Record<string, string>): Promise<Made> {
  const { basicApi } = client.crm.objects;
  const { email = '', ...others } = properties;
  const found = await idBy(client, { object: 'contact', by: 'email', value: email });
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

async function idBy({ crm: { objects } }: Sdk, { object, by, value }: Known): Promise<string | undefined> {
  try {
    const { basicApi } = objects;
    return (await basicApi.getById(typeIdOf(object), value, [by], undefined, undefined, false, by)).id;
  } catch (error) {
    if (refusalOf(error, 404) === undefined) throw error;
    return undefined;
  }
}

/** Creates a contact, or tells which one somebody else has created meanwhile. */
async function create({ crm: { objects } }: Sdk, properties: Record<string, string>) {
  try {
    return { id: (await objects.basicApi.create(CONTACT, { properties, associations: [] })).id, isNew: true };
  } catch (error) {
    const id = existingId(refusalOf(error, 409));
    if (id === undefined) throw error;
    return { id, isNew: false };
  }
}
