import { isExplained, questionsOf } from './effect-rules';
import type { Evidence, Finding, Rule } from './evidence';
import { byContact, hasEnded, type Job, jobsOn, withinCoolDown } from './triggers';

const accepted = (evidence: Evidence) =>
  [...byContact(evidence)].map(
    ([contact, sent]) => [contact, sent.filter((event) => event.trigger && event.accepted > 0)] as const,
  );

/** Every accepted trigger has a render that came to an end: a video, a rejection or a failure. */
export const renderAccounted: Rule = (evidence) => {
  const renders = jobsOn(evidence.records, 'render');
  return accepted(evidence).flatMap(([contact, triggers]) => unaccounted('render', contact, triggers, renders));
};

/** The same for enrichments; one whose answer was lost twice waits, visibly, for a person. */
export const enrichmentAccounted: Rule = (evidence) => {
  const enrichments = jobsOn(evidence.records, 'enrichment');
  const held = heldContacts(evidence);
  return accepted(evidence)
    .filter(([contact]) => !held.has(contact))
    .flatMap(([contact, triggers]) => unaccounted('enrichment', contact, triggers, enrichments));
};

function unaccounted(kind: string, contact: string, triggers: { at: number }[], all: Map<string, Job[]>): Finding[] {
  const jobs = all.get(contact) ?? [];
  const orphans = triggers.filter(({ at }) => !jobs.some((job) => withinCoolDown(job.triggeredAt, at)));
  const open = triggers.length > 0 ? jobs.filter((job) => !hasEnded(job)) : [];
  return [
    ...orphans.map(({ at }) => ({
      rule: `${kind}-accounted`,
      contact,
      detail: `the trigger of ${new Date(at).toISOString()} has no ${kind}`,
    })),
    ...open.map(({ number, state }) => ({
      rule: `${kind}-accounted`,
      contact,
      detail: `${kind} ${number} is still ${state}`,
    })),
  ];
}

/** Contacts about whom two questions, each with an excuse, may have lost their answers: a person has to decide. */
export function heldContacts(evidence: Evidence): Set<string> {
  const excused = (contact: string) =>
    (questions.get(contact) ?? []).filter((call) => isExplained(call, evidence)).length;
  const questions = questionsOf(evidence);
  return new Set([...questions.keys()].filter((contact) => excused(contact) >= 2));
}

/**
 * Contacts whose video was ordered and whose callback has not come: after half an hour HeyGen is asked. As HeyGen makes
 * only so many videos at once, orders may have to wait behind them.
 */
export function waitingForCallback({ records }: Evidence): Set<string> {
  const renders = [...jobsOn(records, 'render')];
  const having = (...states: string[]) =>
    renders.filter(([, jobs]) => jobs.some(({ state }) => states.includes(state))).map(([contact]) => contact);
  return new Set(having('submitted').length > 0 ? having('submitted', 'prepared') : []);
}

/** The contact says what came of its newest job. */
export const finalState: Rule = (evidence) => {
  const renders = jobsOn(evidence.records, 'render');
  const enrichments = jobsOn(evidence.records, 'enrichment');
  return evidence.contacts.flatMap(({ id, properties }) => {
    const wanted: Record<string, string | undefined> = {};
    const made = newestFirst(renders.get(id) ?? []).filter(({ state }) => state !== 'rejected');
    const url = made.find(({ state }) => state === 'completed')?.url;
    if (made[0]) wanted['heygen_render_status'] = made[0].state.toUpperCase();
    wanted['heygen_video_url'] = url;
    const wrong = Object.entries(wanted).filter(([name, value]) => (properties[name] ?? undefined) !== value);
    const findings: Finding[] = wrong.map(([name, value]) => ({
      rule: 'final-state',
      contact: id,
      detail: `${name} is ${properties[name] ?? 'empty'}, should be ${value ?? 'empty'}`,
    }));
    const own = evidence.billedRenders.filter(({ callbackId }) => callbackId.includes(`contact:${id}:`));
    if (url !== undefined && !own.some((render) => url.includes(`/${render.id}/`)))
      findings.push({ rule: 'final-state', contact: id, detail: `${url} is no video of the contact` });
    const scored = (enrichments.get(id) ?? []).some(({ state }) => state === 'completed');
    if (scored && !properties['lead_score'])
      findings.push({ rule: 'final-state', contact: id, detail: 'lead_score is empty' });
    return findings;
  });
};

const newestFirst = (jobs: Job[]): Job[] =>
  [...jobs].sort((a, b) => b.triggeredAt - a.triggeredAt || b.number - a.number);
