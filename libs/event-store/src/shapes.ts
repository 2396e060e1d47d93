import type { ChainLane } from '#libs/contracts';

/** An event as it is stored. `position` orders all events; `version` counts from 1 within the stream. */
export interface StoredEvent {
  streamId: string;
  version: number;
  position: string;
  service: string;
  tenant: string;
  subject: string;
  type: string;
  data: unknown;
  meta: EventMeta;
  occurredAt: Date;
}

/** How an event or effect hangs together with others: ids of the chain and the trace it belongs to. */
export interface EventMeta {
  rootCause: string;
  causedBy: string;
  traceparent?: string;
  replayId?: string;
  /** What follows from it gives way to everything else (protocol 18). */
  lane?: ChainLane;
  /** The log record by which the chain came to this service: topic/partition/offset. */
  record?: string;
  /** The replay may make effects again whose request has changed. */
  redo?: boolean;
  /** Of an effect: the recipes that want it, each with its version, such as `lead-qualified@8c2fb682715b`. */
  recipes?: readonly string[];
}

/** The id of a stored event on the wire (`ce_id`): its stream and version name it for good. */
export const eventId = (streamId: string, version: number): string => `${streamId}@${version}`;

/** An event to be appended; the version is the one that the writer expects to be free. */
export interface NewEvent {
  streamId: string;
  version: number;
  tenant: string;
  subject: string;
  type: string;
  data: unknown;
  meta: EventMeta;
}

/** An effect to be owed (protocol 4). `slot` says what it is for and stays the same over redelivery and replay. */
export interface NewEffect {
  slot: string;
  generation: number;
  tenant: string;
  subject: string;
  streamId: string;
  kind: string;
  purpose: string;
  rootCause: string;
  orderKey: string | undefined;
  request: unknown;
  requestHash: string;
  meta: EventMeta;
  /** `live` unless said otherwise. */
  lane?: Lane;
  /** RFC 3339: the place in the queue that it takes over from an effect that it replaces. */
  owedSince?: string;
  /** The slot of the call that it shares with all effects of the same content (protocol 5). */
  shares?: string;
  /** Names the company in which it goes to the vendor as one job (see {@link gathering}); absent where it goes by itself. */
  gathers?: string;
  /** What it is thought to cost, where it costs money. */
  spend?: SpendEstimate;
}

/** An effect that this process may perform now, once. */
export interface ClaimedEffect {
  slot: string;
  generation: number;
  /** Number of this call, from 1; never restarts, so a late answer of an older call is known as such. */
  attempt: number;
  /** Calls that were repeated although it was unknown whether the one before had been obeyed. */
  repeats: number;
  /** Calls that the vendor turned away unprocessed: they use up no attempt. */
  refusals: number;
  tenant: string;
  lane: string;
  subject: string;
  /** Empty for a call that several owners share. */
  streamId: string;
  kind: string;
  purpose: string;
  request: unknown;
  meta: EventMeta;
  /** Of a job that is looked at again: what its last call left, as given when it was settled as owed. */
  soFar: unknown;
}

/** What a call is thought to cost, before it is made. */
export interface SpendEstimate {
  /** US dollars. */
  usd: number;
  /** Names what calls are like it: what the last of them cost really counts more than `usd`. */
  like?: string;
}

/** What a call of a slot cost really, as `decide` learned. */
export interface SpendSettled {
  slot: string;
  generation: number;
  /** US dollars. */
  usd: number;
}

/** Who waits for an effect: lanes share every limit by weights, so none starves (protocol 18). */
export type Lane = 'live' | 'retry' | 'replay' | ChainLane;

/** A mark that an input was decided: with a day of its own, or undated with the time of its reception. */
export type Mark = { key: string; decided: Decided[] } & ({ day: string } | { received: string });

/** Which stream an input was decided on, and at which version it was read (replay's *then* needs it). */
export interface Decided {
  stream: string;
  version: number;
}

export type MailKind = 'record' | 'outcome' | 'timer' | 'callback';

/** Mail to be put into the mailbox, due at once unless `due` says otherwise. */
export interface NewMail {
  inputKey: string;
  kind: MailKind;
  key: string;
  streamId?: string;
  body: unknown;
  parked: boolean;
  due?: Date;
}

/** Mail that is due. */
export interface Mail {
  id: string;
  inputKey: string;
  kind: MailKind;
  key: string;
  streamId: string | undefined;
  body: unknown;
  due: Date;
}
