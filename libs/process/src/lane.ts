import type { EventMeta, Lane } from '#libs/event-store';

/** The lane of what a chain owes: a replay's, unless its calls may take their time. */
export const laneOf = ({ replayId, lane }: Pick<EventMeta, 'replayId' | 'lane'>): Lane | undefined =>
  replayId !== undefined && lane !== 'batch' ? 'replay' : lane;
