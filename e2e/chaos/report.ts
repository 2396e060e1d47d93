import type { Evidence, Finding } from './evidence';
import type { Plan } from './plan';
import type { ChaosResult } from './run';

/** What a run was and what the checker found, for people. */
export function reportOf({ plan, evidence, findings, settledInMs, cuts }: ChaosResult, command: string): string {
  const { calls, billedRenders, sent, records } = evidence;
  const billed = calls.openai.filter((call) => call.billed).length;
  const charged = billedRenders.filter(({ refunded }) => !refunded).length;
  const accepted = sent.reduce((sum, event) => sum + event.accepted, 0);
  const lines = [
    `seed ${plan.seed}: ${findings.length === 0 ? 'nothing found' : `${findings.length} FINDINGS`}`,
    `  ${accepted} webhooks accepted for ${evidence.contacts.length} contacts, ${evidence.disturbances.length} faults`,
    `  ${charged} renders and ${billed} questions billed, ${billedRenders.length - charged} renders refunded, ${records.length} records on the topics`,
    `  faults: ${countedByKind(plan)}; ${failedCalls(evidence)} calls to vendors failed on purpose`,
    `  ${cuts.sessions} database sessions cut, ${cuts.atCommit} of them at COMMIT`,
    `  settled ${(settledInMs / 1000).toFixed(1)} s after the last fault`,
    ...[...Map.groupBy(findings, ({ rule }) => rule).values()].flatMap(listed),
  ];
  if (findings.length > 0) lines.push(`  repeat: ${command}`);
  return lines.join('\n');
}

const MOST_LISTED = 15;

/** The first findings of a rule. */
function listed(findings: Finding[]): string[] {
  const lines = findings.map(({ rule, contact, detail }) => `  ${rule}: contact ${contact ?? '-'}: ${detail}`);
  const more = findings.length - MOST_LISTED;
  return more > 0 ? [...lines.slice(0, MOST_LISTED), `  … and ${more} more of them`] : lines;
}

const countedByKind = ({ faults }: Plan): string =>
  [...Map.groupBy(faults, ({ kind }) => kind)].map(([kind, some]) => `${some.length} ${kind}`).join(', ');

const failedCalls = ({ calls }: Evidence): number =>
  Object.values(calls)
    .flat()
    .filter(({ fault }) => fault !== undefined).length;

/** Does the same again. */
export const commandOf = (seed: number, webhooks: number): string =>
  `npm run chaos -- --seeds 1 --seed ${seed} --webhooks ${webhooks}`;

/** Does the same run of renders again. */
export const renderCommandOf = (seed: number, triggers: number): string =>
  `npm run chaos -- --renders --seeds 1 --seed ${seed} --triggers ${triggers}`;
