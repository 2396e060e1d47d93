import type { RawRecord } from '../testing/topics';
import type { Evidence, SentEvent } from './evidence';

const COOL_DOWN_MS = 24 * 3_600_000;

/** The times of triggers that each deserve a job of their own: the first, and every one a day or more after it. */
export function jobsDue(sent: SentEvent[]): number[] {
  const times = sent.filter(({ trigger }) => trigger).map(({ at }) => at);
  const due: number[] = [];
  for (const time of times.sort((a, b) => a - b))
    if (due.every((earlier) => time - earlier >= COOL_DOWN_MS)) due.push(time);
  return due;
}

export const withinCoolDown = (one: number, other: number): boolean => Math.abs(one - other) < COOL_DOWN_MS;

/** A render or enrichment as its topic tells it. */
export interface Job {
  number: number;
  triggeredAt: number;
  /** Last word of its newest event type, such as `completed`. */
  state: string;
  url?: string;
  /** Why it was rejected or failed. */
  code?: string;
}

/** The jobs of one kind, by contact. */
export function jobsOn(records: readonly RawRecord[], kind: 'render' | 'enrichment'): Map<string, Job[]> {
  const found = new Map<string, Map<number, Job>>();
  for (const record of records) {
    if (record.topic !== `${kind}.events.v1`) continue;
    const data = JSON.parse(String(record.value)) as Record<string, unknown>;
    const state = record.headers['ce_type']?.split('.').at(-2) ?? '';
    const contact = record.key.split(':').at(-1) ?? '';
    const jobs = found.get(contact) ?? new Map<number, Job>();
    found.set(contact, jobs);
    const number = data[kind] as number;
    const before = jobs.get(number);
    if (before && rank(before.state) >= rank(state)) continue; // a repeat of an older event
    const url = typeof data['url'] === 'string' ? data['url'] : before?.url;
    const code = typeof data['code'] === 'string' ? data['code'] : undefined;
    jobs.set(number, { number, triggeredAt: Date.parse(data['triggeredAt'] as string), state, url, code });
  }
  return new Map([...found].map(([contact, jobs]) => [contact, [...jobs.values()]]));
}

const states = ['requested', 'rejected', 'prepared', 'submitted', 'failed', 'completed'];
const rank = (state: string): number => states.indexOf(state);

export const hasEnded = ({ state }: Job): boolean => ['rejected', 'failed', 'completed'].includes(state);

/** What was sent, by contact. */
export const byContact = ({ sent }: Evidence): Map<string, SentEvent[]> => Map.groupBy(sent, ({ contact }) => contact);
