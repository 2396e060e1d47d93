import { createHash } from 'node:crypto';
import { type DomainEvent, type Envelope, EVENT_TYPE, recordKey } from '#libs/contracts';
import type { EffectOutcome, EventMeta, Mail } from '#libs/event-store';
import type { IncomingRecord } from '#libs/log';
import { type ProcessDefinition, type Route, type TimerMail, UnreadableRecord } from './definition';
import type { Pending } from './pending';
import { readStreamId } from './stream-id';

/** A record as it waits in the mailbox: enough to be routed again, byte for byte. */
export interface RecordMail {
  topic: string;
  value: string;
  envelope: Envelope;
  /** The sender's own name for what happened, where a declared endpoint found one. */
  eventType?: string;
  /** Where it stands: topic/partition/offset. */
  at?: string;
}

/** Where a record stands on the log: topic/partition/offset. */
export const placeOf = ({ topic, partition, offset }: IncomingRecord): string =>
  `${topic}/${String(partition)}/${offset}`;

/**
 * Makes a record into an input; undefined where nothing here listens to it. Throws {@link UnreadableRecord} for poison:
 * no envelope, no JSON, or not the shape of its topic.
 */
export function inputOfRecord<S, E extends DomainEvent, I>(
  definition: ProcessDefinition<S, E, I>,
  record: IncomingRecord,
): Pending<I> | undefined {
  if (!record.envelope) throw new UnreadableRecord('the headers are no CloudEvent');
  const { topic, value, envelope, headers } = record;
  const mail: RecordMail = { topic, value: value.toString('base64'), envelope, at: placeOf(record) };
  const eventType = headers[EVENT_TYPE];
  return pendingRecord(definition, eventType === undefined ? mail : { ...mail, eventType }, value);
}

function pendingRecord<S, E extends DomainEvent, I>(
  definition: ProcessDefinition<S, E, I>,
  mail: RecordMail,
  bytes: Buffer,
): Pending<I> | undefined {
  const route = routeOf(definition, mail, bytes);
  if ('ignored' in route) return undefined;
  const first = route.targets[0];
  const { envelope } = mail;
  return {
    inbox: route.inbox,
    inputKey: first ? recordKey(first.tenant, first.subject) : recordKey(envelope.tenant, envelope.subject),
    targets: route.targets,
    awaits: route.awaits,
    meta: metaOfRecord(mail),
    mail: { kind: 'record', key: route.inbox.key, streamId: first?.streamId, body: mail },
  };
}

function routeOf<S, E extends DomainEvent, I>(
  definition: ProcessDefinition<S, E, I>,
  mail: RecordMail,
  bytes: Buffer,
): Route<I> {
  const route = definition.routes[mail.topic];
  if (!route) throw new UnreadableRecord(`${definition.service} does not read ${mail.topic}`);
  return route({
    envelope: mail.envelope,
    ...(mail.eventType === undefined ? {} : { eventType: mail.eventType }),
    get value() {
      return jsonIn(bytes);
    },
    // Made only for those that ask: most records are known by their envelope.
    get hash() {
      return createHash('sha256').update(bytes).digest('hex');
    },
  });
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new UnreadableRecord('the value is not JSON');
  }
}

const metaOfRecord = ({ envelope, at }: RecordMail): EventMeta => ({
  rootCause: envelope.correlationid,
  causedBy: envelope.id,
  traceparent: envelope.traceparent,
  replayId: envelope.replayid,
  lane: envelope.lane,
  record: at,
});

/** Makes due mail into an input. */
export function inputOfMail<S, E extends DomainEvent, I>(
  definition: ProcessDefinition<S, E, I>,
  mail: Mail,
): Pending<I> {
  if (mail.kind === 'record' || mail.kind === 'callback') return inputOfWaiting(definition, mail);
  const streamId = mail.streamId ?? '';
  const { tenant, record } = readStreamId(streamId);
  const at = mail.due.toISOString();
  const { input, meta, also } =
    mail.kind === 'outcome'
      ? outcomeInput(definition, mail.body as EffectOutcome, mail.key, at, streamId)
      : timerInput(definition, mail.body as TimerMail & { meta: EventMeta }, mail.key, at, streamId);
  return {
    inbox: { key: mail.key, day: at.slice(0, 10) },
    inputKey: mail.inputKey,
    targets: [{ streamId, tenant, subject: `${record.type}:${record.id}`, input }, ...also],
    meta,
    mailId: mail.id,
    mail,
  };
}

/** Mail that cannot be made into an input, as far as parking needs it: its key waits until the code is mended. */
export const waitingMail = (mail: Mail): Pending<never> => ({
  inbox: { key: mail.key, day: mail.due.toISOString().slice(0, 10) },
  inputKey: mail.inputKey,
  targets: [],
  meta: { rootCause: mail.key, causedBy: mail.key },
  mailId: mail.id,
  mail,
});

// A record that waited: routed again, under its own key. A callback that was joined to its stream meanwhile goes there,
// under a key of its own, since its first appearance is marked already.
function inputOfWaiting<S, E extends DomainEvent, I>(definition: ProcessDefinition<S, E, I>, mail: Mail): Pending<I> {
  const body = mail.body as RecordMail;
  const pending = pendingRecord(definition, body, Buffer.from(body.value, 'base64'));
  if (!pending) throw new UnreadableRecord(`nothing listens to ${mail.key} any more`);
  const joined = mail.kind === 'callback' && mail.streamId !== undefined && pending.awaits;
  return {
    ...pending,
    ...(joined ? { targets: [joined.target(mail.streamId ?? '')], awaits: undefined } : {}),
    ...(mail.kind === 'callback' ? { inbox: { key: mail.key, day: mail.due.toISOString().slice(0, 10) } } : {}),
    inputKey: mail.inputKey,
    mailId: mail.id,
    mail,
  };
}

const outcomeInput = <S, E extends DomainEvent, I>(
  definition: ProcessDefinition<S, E, I>,
  outcome: EffectOutcome,
  key: string,
  at: string,
  streamId: string,
) => {
  // Which recipes wanted the call is said of the call, not of what follows from it.
  const { recipes: _, lane, ...meta } = outcome.meta;
  // What takes the place of a superseded call may be wanted by somebody who does not give way.
  const kept = outcome.state === 'superseded' ? undefined : lane;
  return {
    input: definition.outcome(outcome, at, streamId),
    meta: { ...meta, lane: kept, rootCause: outcome.rootCause, causedBy: key },
    also: definition.alsoTold?.(outcome, streamId) ?? [],
  };
};

function timerInput<S, E extends DomainEvent, I>(
  definition: ProcessDefinition<S, E, I>,
  timer: TimerMail & { meta: EventMeta },
  key: string,
  at: string,
  streamId: string,
) {
  if (!definition.timer) throw new Error(`${definition.service} set a timer but hears none`);
  const input = definition.timer(timer, at, streamId, timer.meta.rootCause);
  // What has come due gives way to nobody, whoever has set the time.
  return { input, meta: { ...timer.meta, lane: undefined, causedBy: key }, also: [] };
}
