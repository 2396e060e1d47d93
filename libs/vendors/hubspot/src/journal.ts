import { type Answer, objectTypeOf } from '#libs/contracts';
import { z } from 'zod';
import { request, sorted } from './answering';
import { NoToken, refusalOf } from './errors';
import { Sdk } from './sdk';
import { byCredentials, type ClientApp, GrantedTokens } from './tokens';
import { families } from './versions';

/** An app whose journal is read. */
export interface JournalApp extends Omit<ClientApp, 'scopes'> {
  baseUrl?: string;
}

/** What became of a record of an account, and when (RFC 3339); who made it so, the journal does not say. */
export interface JournalEvent {
  portalId: number;
  /** Normalised, as everywhere. */
  object: string;
  id: string;
  /** `CREATE`, `UPDATE`, `DELETE`, `MERGE`, `RESTORE`; an open list. */
  action: string;
  at: string;
  /** The properties that changed, without their values. */
  properties: string[];
}

/** A file of the journal: what was published at one time, in the order in which it is to be read. */
export interface JournalFile {
  offset: string;
  /** RFC 3339. */
  publishedAt: string;
  events: JournalEvent[];
  /** How many of its events are of no record, or could not be read. */
  others: number;
}

/** Where an offset led: to a file, to the end of all that there is, or nowhere, since HubSpot knows it no longer. */
export type JournalLook = { file: JournalFile } | { file?: undefined; isKnown: boolean };

const SCOPES = ['developer.webhooks_journal.read'];
const AT_THE_END = { isKnown: true };

/** An app's journal: what its accounts' records went through, for three days. Never throws: every answer is sorted. */
export class HubspotJournal {
  private readonly sdk: Sdk;

  constructor({ baseUrl, ...app }: JournalApp) {
    const tokens = new GrantedTokens(byCredentials({ ...app, scopes: SCOPES }), baseUrl);
    this.sdk = new Sdk({
      baseUrl,
      accessToken: () => tokens.token().catch(refuse),
      onToken: (isTaken) => {
        if (!isTaken) tokens.forget();
      },
    });
  }

  /** The offset of the newest file; undefined where there is none. */
  latest(signal: AbortSignal): Promise<Answer<string | undefined>> {
    return sorted(signal, async () => (await this.entry('latest', signal))?.currentOffset);
  }

  /** Reads the oldest file that there is. */
  earliest(signal: AbortSignal): Promise<Answer<JournalLook>> {
    return sorted(signal, () => this.look('earliest', signal));
  }

  /** Reads the file behind an offset. */
  after(offset: string, signal: AbortSignal): Promise<Answer<JournalLook>> {
    return sorted(signal, async () => {
      try {
        return await this.look(`offset/${encodeURIComponent(offset)}/next`, signal);
      } catch (error) {
        // What it answers of an offset that is too old is not written anywhere: each of these can mean nothing else.
        // A page has no sentence: it says that there is no such route.
        const isUnknown = [400, 404, 410].some((status) => refusalOf(error, status));
        if (isUnknown) return { isKnown: false };
        throw error;
      }
    });
  }

  private async look(end: string, signal: AbortSignal): Promise<JournalLook> {
    const entry = await this.entry(end, signal);
    if (!entry) return AT_THE_END;
    const answer = await fetch(entry.url, { signal });
    // Its link is good for a short while only: the next look gets another one.
    if (!answer.ok) throw unreadable(`its link answers ${String(answer.status)}`);
    const read = fileOf.safeParse(await answer.json());
    if (!read.success) throw unreadable('it is of another shape than it was');
    const { publishedAt, journalEvents } = read.data;
    const events = journalEvents.flatMap((one) => eventIn(one) ?? []);
    const others = journalEvents.length - events.length;
    return { file: { offset: entry.currentOffset, publishedAt, events, others } };
  }

  private async entry(end: string, signal: AbortSignal) {
    const found = await request(this.sdk, signal, { method: 'GET', path: `${families.journal.root}/${end}` });
    return found === undefined ? undefined : entryOf.parse(found);
  }
}

const unreadable = (why: string): Error => {
  const message = `a file of the journal cannot be read: ${why}`;
  return Object.assign(new Error(message), { code: 502, body: { message, category: 'journal-file' }, headers: {} });
};

// No secret, no call: it waits until there is one.
function refuse(error: unknown): never {
  if (error instanceof NoToken) throw error;
  const message = 'the secret of the app cannot be read';
  throw new NoToken({ outcome: 'retry', code: 'no-token', message, refused: true });
}

const time = z
  .union([z.string(), z.number()])
  .transform((given) => new Date(given))
  .refine((date) => !Number.isNaN(date.getTime()))
  .transform((date) => date.toISOString());
const id = z.union([z.string().min(1), z.number()]).transform(String);

const entryOf = z.looseObject({ url: z.url(), currentOffset: z.string().min(1) });
const fileOf = z.looseObject({ publishedAt: time, journalEvents: z.array(z.unknown()) });
const ofRecord = z.looseObject({
  portalId: z.number(),
  objectTypeId: z.string().min(1),
  objectId: id,
  action: z.string(),
  occurredAt: time,
  propertyChanges: z.record(z.string(), z.unknown()).optional().catch(undefined),
});

function eventIn(one: unknown): JournalEvent | undefined {
  const read = ofRecord.safeParse(one);
  if (!read.success) return undefined;
  const { portalId, objectTypeId, objectId, action, occurredAt, propertyChanges = {} } = read.data;
  const object = objectTypeOf(objectTypeId);
  return { portalId, object, id: objectId, action, at: occurredAt, properties: Object.keys(propertyChanges) };
}
