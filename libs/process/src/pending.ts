import type { EventMeta, MailKind } from '#libs/event-store';

/** One stream that an input speaks to, and what it says to it. */
export interface Target<Input> {
  streamId: string;
  tenant: string;
  subject: string;
  input: Input;
}

/**
 * How an input is known in the inbox (protocol 3): vendor events and domain events by their own key and day; inputs
 * without a time by key and reception, so that the same content counts again after 24 hours.
 */
export type InboxKey = { key: string; day: string } | { key: string; received: string };

/** A callback that names only the vendor's own id: the stream is found by correlation, now or later. */
export interface Awaited<Input> {
  tenant: string;
  vendor: string;
  externalId: string;
  target(streamId: string): Target<Input>;
}

/** An input on its way into a decision, however it came. */
export interface Pending<Input> {
  inbox: InboxKey;
  /** Service order and parking go by this key: the record key of the stream that the input resolves to. */
  inputKey: string;
  targets: Target<Input>[];
  awaits?: Awaited<Input>;
  meta: EventMeta;
  /** A replay opens a trace of its own, linked to this one (`traceparent` of the record). */
  links?: string;
  /** The mailbox row that it came from, if it did. */
  mailId?: string;
  /** How it waits in the mailbox, should it have to. */
  mail: { kind: MailKind; key: string; streamId?: string; body: unknown; due?: Date };
}
