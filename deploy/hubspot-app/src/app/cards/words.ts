import type { Cost } from './answer';

export type Tone = 'default' | 'info' | 'success' | 'warning' | 'danger';

const states: Record<'video' | 'enrichment', Record<string, string>> = {
  video: {
    PENDING: 'Waiting to be rendered',
    PROCESSING: 'Being rendered',
    COMPLETED: 'Ready',
    FAILED: 'Failed',
    REJECTED: 'Not made',
  },
  enrichment: {
    PENDING: 'Being worked out',
    COMPLETED: 'Done',
    FAILED: 'Failed',
    REJECTED: 'Not asked',
  },
};

const tones: Record<string, Tone> = {
  PENDING: 'info',
  PROCESSING: 'info',
  COMPLETED: 'success',
  FAILED: 'danger',
  REJECTED: 'warning',
};

/** A status in words; one that this card does not know yet stands for itself. */
export const statusWords = (of: 'video' | 'enrichment', status: string): string => states[of][status] ?? status;

export const statusTone = (status: string): Tone => tones[status] ?? 'default';

export const costWords = ({ credits, inputTokens, outputTokens }: Cost): string => {
  const tokens = (inputTokens ?? 0) + (outputTokens ?? 0);
  const parts = [credits ? count(credits, 'credit') : '', tokens ? count(tokens, 'token') : ''];
  return parts.filter((part) => part !== '').join(' and ') || 'nothing';
};

const count = (n: number, what: string) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

/** Which of the card's parts an error is of. */
export const errorTitle = (of: string): string => `Last error: ${errorOf[of] ?? of}`;

const errorOf: Record<string, string> = {
  video: 'the video',
  enrichment: 'the AI assessment',
  external: 'data of another system',
  write: 'writing to HubSpot',
};

/** Puts a time the way the account reads it. */
export type TimeWords = (at: string) => string;

/** A time as people of the account read it; what is no time stands for itself. */
export function timeWords(at: string, { locale, timezone }: { locale?: string; timezone?: string }): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  const form = { dateStyle: 'medium', timeStyle: 'short' } as const;
  try {
    return time.toLocaleString(locale, { ...form, timeZone: timezone });
  } catch {
    return time.toLocaleString('en', { ...form, timeZone: 'UTC' });
  }
}
