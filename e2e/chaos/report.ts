import type { Evidence } from './evidence';
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
    ...findings.slice(0, 50).map(({ rule, contact, detail }) => `  ${rule}: contact ${contact ?? '-'}: ${detail}`),
  ];
  if (findings.length > 50) lines.push(`  … and ${findings.length - 50} more`);
  if (findings.length > 0) lines.push(`  repeat: ${command}`);
  return lines.join('\n');
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
