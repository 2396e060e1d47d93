import type { Call } from '../testing/vendors';
import type { Evidence, Finding, Rule } from './evidence';
import { byContact, jobsDue, jobsOn } from './triggers';

/** At most one billed render for each trigger that deserves one, and one for each idempotency key. */
export const billedRender: Rule = (evidence) => {
  const findings: Finding[] = [];
  const sent = byContact(evidence);
  const billed = Map.groupBy(evidence.billedRenders, ({ callbackId }) => /contact:(\d+):/.exec(callbackId)?.[1] ?? '');
  for (const [contact, renders] of billed) {
    const due = jobsDue(sent.get(contact) ?? []).length;
    const distinct = new Set(renders.map(({ idempotencyKey }) => idempotencyKey)).size;
    const charged = renders.filter(({ refunded }) => !refunded).length;
    if (charged > due || distinct < renders.length)
      findings.push({
        rule: 'billed-render',
        contact,
        detail: `${charged} billed, ${due} due, ${distinct} keys: ${renders.map((r) => r.callbackId).join(' ')}`,
      });
  }
  return findings;
};

/** Billed questions: one for each due enrichment, and one more for each whose answer a fault may have swallowed. */
export const billedQuestion: Rule = (evidence) => {
  const sent = byContact(evidence);
  const questions = questionsOf(evidence);
  return [...questions].flatMap(([contact, calls]) => {
    const due = jobsDue(sent.get(contact) ?? []).length;
    const billed = calls.filter((call) => call.billed);
    const explained = billed.filter((call) => isExplained(call, evidence)).length;
    return billed.length <= due + Math.min(explained, due)
      ? []
      : [{ rule: 'billed-question', contact, detail: `${billed.length} billed, ${due} due, ${explained} excused` }];
  });
};

/** The questions that were asked about each contact. */
export function questionsOf({ contacts, calls }: Evidence): Map<string, Call[]> {
  const ids = new Map(contacts.map(({ id, lastname }) => [lastname, id]));
  const pattern = /Chaos-\d+-\d{5}/;
  return Map.groupBy(
    calls.openai.filter(({ requestBody }) => requestBody !== undefined),
    ({ requestBody }) => ids.get(pattern.exec(JSON.stringify(requestBody))?.[0] ?? '') ?? '',
  );
}

const CALL_MS = 7_000;

/** Whether a fault on the call itself, or one that met its service while it ran, may have swallowed the answer. */
export function isExplained(call: Call, { disturbances }: Evidence): boolean {
  if (call.fault !== undefined || call.status === null) return true;
  const from = Date.parse(call.at) - 1_000;
  const to = Date.parse(call.at) + CALL_MS;
  return disturbances.some(
    (fault) =>
      (fault.service === undefined || fault.service === 'enrichment-service') && fault.from < to && fault.to > from,
  );
}

const contacts = '/crm/objects/2026-09/0-1/';

interface Write {
  id: string;
  properties: Record<string, string>;
}

/** The writes of a call: one of a record of its own, or up to 100 of a batch. */
function writesIn({ method, path, requestBody }: Call): Write[] {
  const body = requestBody ?? {};
  if (method === 'POST' && path === `${contacts}batch/update`) return (body['inputs'] ?? []) as Write[];
  if (method !== 'PATCH' || !path.startsWith(contacts)) return [];
  return [{ id: path.slice(contacts.length), properties: (body['properties'] ?? {}) as Write['properties'] }];
}

/** The writes of each contact, in the order in which HubSpot saw them. */
export function writesOf({ calls }: Evidence): Map<string, Record<string, string>[]> {
  const byId = Map.groupBy(calls.hubspot.flatMap(writesIn), ({ id }) => id);
  return new Map([...byId].map(([id, writes]) => [id, writes.map(({ properties }) => properties)]));
}

/** No contact goes back to PENDING for a video that was reported COMPLETED: only further videos make it PENDING again. */
export const latePending: Rule = (evidence) => {
  const jobs = jobsOn(evidence.records, 'render');
  return [...writesOf(evidence)].flatMap(([contact, writes]): Finding[] => {
    const said = writes
      .map((properties) => properties['heygen_render_status'])
      .filter((status) => status !== undefined);
    const back = said.filter((status, i) => status === 'PENDING' && said[i - 1] === 'COMPLETED').length;
    const further = (jobs.get(contact)?.length ?? 0) - 1;
    return back <= Math.max(0, further)
      ? []
      : [{ rule: 'late-pending', contact, detail: `${back} times PENDING after COMPLETED, ${further} further videos` }];
  });
};

/**
 * What HubSpot saw of a contact was decided, in that order, and the last of it was seen. A write may be repeated, and one
 * that a newer one has overtaken may be left out.
 */
export const writesInOrder: Rule = (evidence) => {
  const decided = new Map<string, Map<number, string>>();
  for (const { topic, headers, key, value } of evidence.records) {
    if (topic !== 'crm.events.v1' || headers['ce_type'] !== 'refrain.record-update.owed.v1') continue;
    const data = JSON.parse(String(value)) as { write: number; properties: Record<string, string> };
    const contact = key.split(':').at(-1) ?? '';
    const list = decided.get(contact) ?? new Map<number, string>();
    decided.set(contact, list.set(data.write, canonical(data.properties)));
  }
  return [...writesOf(evidence)].flatMap(([contact, writes]) => {
    const wanted = [...(decided.get(contact) ?? [])].sort(([a], [b]) => a - b).map(([, text]) => text);
    const seen = writes.map(canonical).filter((text, i, all) => text !== all[i - 1]);
    const inOrder = isSubsequence(seen, wanted) && seen.at(-1) === wanted.at(-1);
    return inOrder
      ? []
      : [{ rule: 'writes-in-order', contact, detail: `decided ${wanted.join(' ')}, seen ${seen.join(' ')}` }];
  });
};

function isSubsequence(part: string[], whole: string[]): boolean {
  let found = 0;
  for (const item of whole) if (item === part[found]) found += 1;
  return found === part.length;
}

const canonical = (properties: Record<string, string>): string =>
  JSON.stringify(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)));
