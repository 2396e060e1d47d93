import type { RawRecord } from '../testing/topics';
import type { Finding, Rule } from './evidence';

/** Accepted means durable: as many records with its exact bytes as requests with it were answered with success. */
export const lostWebhook: Rule = ({ sent, records }) => {
  const stored = new Map<string, number>();
  for (const record of records) {
    if (record.topic !== 'ingress.hubspot.v1') continue;
    const bytes = String(record.value);
    stored.set(bytes, (stored.get(bytes) ?? 0) + 1);
  }
  return sent
    .filter(({ bytes, accepted }) => (stored.get(bytes) ?? 0) < accepted)
    .map(({ bytes, accepted, contact }) => ({
      rule: 'lost-webhook',
      contact,
      detail: `accepted ${accepted} times, stored ${stored.get(bytes) ?? 0} times: ${bytes}`,
    }));
};

const domainTopics = ['render.events.v1', 'enrichment.events.v1', 'crm.events.v1'];

/** On each topic the events of a stream first appear in order, without a gap; repeats are allowed. */
export const outOfOrder: Rule = ({ records }) => domainTopics.flatMap((topic) => gapsOn(topic, records));

function gapsOn(topic: string, records: readonly RawRecord[]): Finding[] {
  const newest = new Map<string, number>();
  const findings: Finding[] = [];
  for (const record of records) {
    if (record.topic !== topic) continue;
    const id = record.headers['ce_id'] ?? '';
    const at = id.lastIndexOf('@');
    const [stream, version] = [id.slice(0, at), Number(id.slice(at + 1))];
    const before = newest.get(stream) ?? 0;
    if (version > before + 1)
      findings.push({
        rule: 'out-of-order',
        contact: record.key.split(':').at(-1),
        detail: `${id} stands on ${topic} after version ${before}`,
      });
    newest.set(stream, Math.max(before, version));
  }
  return findings;
}

/** No fault from outside may park a key or end as a dead letter. */
export const deadLetter: Rule = ({ records }) =>
  records
    .filter(({ topic }) => topic.endsWith('.dlq') || topic === 'ingress.quarantine')
    .map((record) => ({
      rule: 'dead-letter',
      contact: record.key.split(':').at(-1),
      detail: `on ${record.topic}: ${JSON.stringify(record.headers)} ${String(record.value).slice(0, 300)}`,
    }));
