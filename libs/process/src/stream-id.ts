import { recordKey, subjectOf, type RecordRef } from '#libs/contracts';

/** A stream's parts: `render-default:contact:541935488729:lead-qualified`. */
export interface StreamName {
  context: string;
  tenant: string;
  record: RecordRef;
  /** Tells streams of one record apart; empty where there is one stream a record. */
  name: string;
}

/** The id of a stream: context, tenant, record and, where needed, a name such as the recipe's id. */
export const streamIdOf = (s: StreamName): string =>
  `${s.context}-${recordKey(s.tenant, subjectOf(s.record))}${s.name ? `:${s.name}` : ''}`;

/** Reads a stream id back into its parts; throws on anything that {@link streamIdOf} did not make. */
export function readStreamId(streamId: string): StreamName {
  const dash = streamId.indexOf('-');
  const [tenant, type, id, ...name] = streamId.slice(dash + 1).split(':');
  if (dash < 1 || !tenant || !type || !id) throw new Error(`not a stream id: ${streamId}`);
  return { context: streamId.slice(0, dash), tenant, record: { type, id }, name: name.join(':') };
}
