import type { SimplePublicObject } from '@hubspot/api-client/lib/codegen/crm/objects/models/SimplePublicObject';
import type { Sdk } from './sdk';

/** Something that is tied to a record, with its text; `at` is RFC 3339. */
export interface Said {
  at: string;
  title?: string;
  text: string;
}

/** How many of each kind are read, the newest first; and the properties of a call that are its transcript. */
export interface ContextRequest {
  most: Readonly<Partial<Record<string, number>>>;
  transcript: readonly string[];
}

/** What is read of a kind, and of no kind more than that. */
interface Kind {
  typeId: string;
  title?: string;
  /** The properties that hold its text. */
  texts: readonly string[];
  /** They are one text in several forms, of which the first is told; else they are told one behind the other. */
  isOneText?: boolean;
  /** A title alone says nothing. */
  needsText?: boolean;
}

const CALLS: Kind = { typeId: '0-48', title: 'hs_call_title', texts: ['hs_call_body'] };
const KINDS: Readonly<Record<string, Kind>> = {
  notes: { typeId: '0-46', texts: ['hs_note_body'] },
  emails: { typeId: '0-49', title: 'hs_email_subject', texts: ['hs_email_text', 'hs_email_html'], isOneText: true },
  calls: CALLS,
  meetings: { typeId: '0-47', title: 'hs_meeting_title', texts: ['hs_meeting_body', 'hs_internal_meeting_notes'] },
  tickets: { typeId: '0-5', title: 'subject', texts: ['content'] },
};

/** The most records of one batch. */
const A_BATCH = 100;
/** Of so many of the newest calls it is looked whether they have a transcript. */
const TRANSCRIBED = 10;

/** The names by which a record's associations must be read along, so that this context can be read. */
export const tiedFor = (notes: number, { most }: ContextRequest): string[] => [
  ...(notes > 0 ? ['notes'] : []),
  ...new Set(Object.keys(most).map((kind) => (kind === 'transcripts' ? 'calls' : kind))),
];

/**
 * Reads what is tied to a record, kind by kind in one batch each, and the transcripts of its newest calls in one more; all
 * newest first. Of more than a batch holds those that HubSpot made last are read.
 */
export async function readContext(
  client: Sdk,
  ids: (name: string) => readonly string[],
  notes: number,
  { most, transcript }: ContextRequest,
): Promise<{ notes: Said[]; context: Record<string, Said[]> }> {
  const { transcripts = 0, ...kinds } = most;
  const context: Record<string, Said[]> = {};
  const asked = Object.entries({ ...(notes > 0 ? { notes } : {}), ...kinds });
  let calls: SimplePublicObject[] | undefined;
  for (const [name, number = 0] of asked) {
    const kind = KINDS[name];
    if (!kind) continue;
    const read = await readNewest(client, kind, ids(name));
    if (name === 'calls') calls = read;
    context[name] = read.flatMap((one) => saidBy(kind, one)).slice(0, number);
  }
  if (transcripts > 0) {
    calls ??= await readNewest(client, { ...CALLS, texts: [] }, ids('calls'));
    const newest = calls.slice(0, TRANSCRIBED).map(({ id }) => id);
    const transcribed: Kind = { ...CALLS, texts: transcript, needsText: true };
    const read = await readNewest(client, transcribed, newest);
    context['transcripts'] = read.flatMap((one) => saidBy(transcribed, one)).slice(0, transcripts);
  }
  const { notes: own = [], ...rest } = context;
  return { notes: own, context: rest };
}

async function readNewest(
  client: Sdk,
  { typeId, title, texts }: Kind,
  ids: readonly string[],
): Promise<SimplePublicObject[]> {
  const newest = [...new Set(ids)].sort((a, b) => (BigInt(a) < BigInt(b) ? 1 : -1)).slice(0, A_BATCH);
  if (newest.length === 0) return [];
  const answer = await client.crm.objects.batchApi.read(typeId, {
    inputs: newest.map((id) => ({ id })),
    properties: [...(title === undefined ? [] : [title]), ...texts, ...(typeId === '0-5' ? [] : ['hs_timestamp'])],
    propertiesWithHistory: [],
  });
  // A batch may be answered in part, which is no error to the SDK; what is gone meanwhile is told by nobody.
  const errors = 'errors' in answer ? (answer.errors ?? []) : [];
  const lost = errors.find(({ category }) => category !== 'OBJECT_NOT_FOUND');
  if (lost) throw new ReadInPart();
  return [...answer.results].sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
}

/** Thrown where HubSpot gave a part of a batch only, in the shape of the SDK's own errors: it is read again. */
class ReadInPart extends Error {
  readonly code = 503;
  readonly body = { message: 'a part of a batch was not read', category: 'READ_IN_PART' };
  readonly headers = {};
}

const timeOf = ({ properties, createdAt }: SimplePublicObject): string =>
  new Date(properties['hs_timestamp'] ?? createdAt).toISOString();

function saidBy({ title, texts, isOneText = false, needsText = false }: Kind, one: SimplePublicObject): Said[] {
  const filled = texts.flatMap((name) => one.properties[name] ?? []).filter((text) => text !== '');
  const text = (isOneText ? filled.slice(0, 1) : filled).join('\n');
  const said = (title === undefined ? undefined : one.properties[title]) ?? '';
  if (text === '' && (said === '' || needsText)) return [];
  return [
    { at: one.properties['hs_timestamp'] ?? one.createdAt.toISOString(), ...(said ? { title: said } : {}), text },
  ];
}
