import { type DomainEvent, EVENT_TYPE } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import type { ProcessDefinition } from '../definition';
import { inputOfRecord, type RecordMail } from '../inputs';
import type { Awaited, InboxKey, Pending } from '../pending';

/** A record of a plan as an input: under a key of its own, so that the inbox takes it once per replay. */
export interface ReplayInput<Input> {
  input: Pending<Input>;
  /** How the record was known in the inbox when it first came. */
  original: InboxKey;
  source: string;
}

/** Makes a record into an input of a replay; undefined where nothing here listens to it or it cannot be read. */
export function replayInput<S, E extends DomainEvent, I>(
  definition: ProcessDefinition<S, E, I>,
  record: IncomingRecord,
  replay: { id: string; redo: boolean; batch: boolean },
): ReplayInput<I> | undefined {
  let input: Pending<I> | undefined;
  try {
    input = inputOfRecord(definition, record);
  } catch {
    // What cannot be read went to the dead letter topic when it first came.
    return undefined;
  }
  if (!input) return undefined;
  const source = `${record.topic}/${String(record.partition)}/${record.offset}`;
  return {
    source,
    original: input.inbox,
    input: {
      ...input,
      inbox: { key: `${replay.id}|${source}`, day: new Date(record.timestamp).toISOString().slice(0, 10) },
      meta: {
        ...input.meta,
        traceparent: undefined,
        replayId: replay.id,
        lane: replay.batch ? 'batch' : input.meta.lane && 'backfill',
        ...(replay.redo ? { redo: true } : {}),
      },
      links: input.meta.traceparent,
    },
  };
}

/** A callback that names only a vendor's id goes to the stream that is known for it, if one is; nothing is noted. */
export function matched<I>(input: Pending<I>, streams: ReadonlyMap<string, string>): Pending<I> {
  if (!input.awaits) return input;
  const streamId = streams.get(externalOf(input.awaits));
  return { ...input, awaits: undefined, targets: streamId === undefined ? [] : [input.awaits.target(streamId)] };
}

/** As {@link correlated} names a vendor's id. */
export const externalOf = ({ tenant, vendor, externalId }: Awaited<unknown>): string =>
  [tenant, vendor, externalId].join('|');

/** A plan's item as the record that it was made of. */
export function recordOfItem(item: { source: string; body: unknown }): IncomingRecord {
  const body = item.body as RecordMail;
  const [partition = '0', offset = '0'] = item.source.split('/').slice(-2);
  return {
    topic: body.topic,
    partition: Number(partition),
    offset,
    timestamp: Date.parse(body.envelope.time),
    key: '',
    value: Buffer.from(body.value, 'base64'),
    envelope: body.envelope,
    headers: body.eventType === undefined ? {} : { [EVENT_TYPE]: body.eventType },
  };
}
