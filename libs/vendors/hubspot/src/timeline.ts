import type { Answer, TimelineForm } from '#libs/contracts';
import { makeNote, noteOf, type Once } from './activities';
import { type Look, type Made, onceOnly, sorted } from './answering';
import { type EventRequest, sendEvent } from './events';
import type { Sdk } from './sdk';

/** How a call is told apart from others: `key` from those of all records, `reference` from those of its own. */
export interface TimelineOnce extends Once {
  key: string;
}

/**
 * Says in a record's timeline what happened, once, as a note or as an event of the app. Whichever form it has now, a
 * repeat looks for the note that an earlier call may have made: the account may have been set otherwise since.
 */
export function tellTimeline(
  sdk: Sdk,
  request: EventRequest,
  form: TimelineForm,
  once: TimelineOnce,
  signal: AbortSignal,
): Promise<Answer<Made>> {
  const { record, event } = request;
  if (form === 'notes') return makeNote(sdk, { record, note: { text: wordsOf(event), at: event.at } }, once, signal);
  return onceOnly(
    once.isRepeat,
    () => lookForNote(sdk, request, once, signal),
    () => sendEvent(sdk, request, once.key, signal),
  );
}

// An app that may not see notes has made none. Events need no look: HubSpot knows them by their id.
async function lookForNote(
  sdk: Sdk,
  { record }: EventRequest,
  { reference }: Once,
  signal: AbortSignal,
): Promise<Answer<Look>> {
  const look = await sorted(signal, () => noteOf(sdk, record, reference), { forbidden: 'stop' });
  const isForbidden = look.outcome === 'stop' && look.code === 'not-allowed';
  return isForbidden ? { outcome: 'done', value: { complete: true } } : look;
}

/** What an event says, as a person reads it: what happened, when, and its values by their names. Pure. */
export function wordsOf({ type, properties, at }: EventRequest['event']): string {
  const [day = '', time = ''] = new Date(at).toISOString().split('T');
  const values = Object.entries(properties).map(([name, value]) => `- ${inWords(name)}: ${value}`);
  return [inWords(type), `${day} ${time.slice(0, 5)} UTC`, ...(values.length > 0 ? ['', ...values] : [])].join('\n');
}

/** `video_ready`, `video-ready` and `videoReady` are all `Video ready`. */
function inWords(name: string): string {
  const words = name
    .replace(/(?<=[a-z0-9])(?=[A-Z][a-z])/g, ' ')
    .split(/[\s_.-]+/)
    .filter(Boolean)
    .map((word) => (/^[A-Z][a-z]+$/.test(word) ? word.toLowerCase() : word))
    .join(' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
