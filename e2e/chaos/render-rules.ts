import { billedRender, latePending, writesInOrder } from './effect-rules';
import type { Evidence, Finding, Rule } from './evidence';
import { deadLetter, lostWebhook, outOfOrder } from './log-rules';
import { finalState, renderAccounted } from './outcome-rules';
import { byContact, type Job, jobsDue, jobsOn } from './triggers';

const rendersOf = ({ billedRenders }: Evidence) =>
  Map.groupBy(billedRenders, ({ callbackId }) => /contact:(\d+):/.exec(callbackId)?.[1] ?? '');

/** By HeyGen's own count: one charged render for each trigger, and none where the plan lets none be made. */
export const oneChargedRender: Rule = (evidence) => {
  const renders = rendersOf(evidence);
  const jobs = jobsOn(evidence.records, 'render');
  const sent = byContact(evidence);
  return evidence.contacts.flatMap(({ id, wants }): Finding[] => {
    const due = wants === 'videos' ? jobsDue(sent.get(id) ?? []).length : 0;
    const charged = (renders.get(id) ?? []).filter(({ refunded }) => !refunded).length;
    return charged === due
      ? []
      : [
          {
            rule: 'one-charged-render',
            contact: id,
            detail: `${charged} charged, ${due} triggers: ${said(jobs.get(id))}`,
          },
        ];
  });
};

const said = (jobs: Job[] = []): string => jobs.map(({ state, code }) => [state, code].join(' ')).join(', ');

/** The contact shows one of the videos that HeyGen charged for it, or the planned code. */
export const plannedEnd: Rule = (evidence) => {
  const renders = rendersOf(evidence);
  return evidence.contacts.flatMap(({ id, wants, properties }): Finding[] => {
    const { heygen_render_status: status, heygen_render_error: error, heygen_video_url: url } = properties;
    const made = (renders.get(id) ?? []).filter((one) => one.status === 'completed' && !one.refunded);
    const right =
      wants === 'videos'
        ? status === 'COMPLETED' && made.some((one) => url?.includes(`/${one.id}/`))
        : status === 'FAILED' && error === wants?.failed && !url;
    const detail = `${status ?? 'no status'} ${error ?? ''} ${url ?? ''}, should be ${JSON.stringify(wants)}`;
    return right ? [] : [{ rule: 'planned-end', contact: id, detail }];
  });
};

/** What must hold of a run of renders. */
export const renderRules: readonly Rule[] = [
  lostWebhook,
  outOfOrder,
  deadLetter,
  billedRender,
  oneChargedRender,
  latePending,
  writesInOrder,
  renderAccounted,
  finalState,
  plannedEnd,
];

const AT_ONCE = 20;

/** Whoever opens a contact's link sees a video. */
export async function unwatchable({ contacts }: Evidence): Promise<Finding[]> {
  const links = contacts.flatMap(({ id, properties: { heygen_video_url: url } }) => (url ? [{ id, url }] : []));
  const findings: Finding[] = [];
  for (let done = 0; done < links.length; done += AT_ONCE) {
    const looks = links.slice(done, done + AT_ONCE).map(async ({ id: contact, url }) => {
      const answer = await fetch(url).catch((error: unknown) => String(error));
      const isVideo = typeof answer !== 'string' && answer.ok && (await answer.arrayBuffer()).byteLength > 0;
      if (!isVideo)
        findings.push({
          rule: 'watchable',
          contact,
          detail: `${url} answers ${typeof answer === 'string' ? answer : answer.status}`,
        });
    });
    await Promise.all(looks);
  }
  return findings;
}
