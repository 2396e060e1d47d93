import type { ChaosResult } from './run';

/** What a run was and what the checker found, for people. */
export function reportOf({ plan, evidence, findings, settledInMs }: ChaosResult, webhooks: number): string {
  const { calls, billedRenders, sent, records } = evidence;
  const billed = calls.openai.filter((call) => call.billed).length;
  const accepted = sent.reduce((sum, event) => sum + event.accepted, 0);
  const lines = [
    `seed ${plan.seed}: ${findings.length === 0 ? 'nothing found' : `${findings.length} FINDINGS`}`,
    `  ${accepted} webhooks accepted for ${evidence.contacts.length} contacts, ${evidence.disturbances.length} faults`,
    `  ${billedRenders.length} renders and ${billed} questions billed, ${records.length} records on the topics`,
    `  settled ${(settledInMs / 1000).toFixed(1)} s after the last fault`,
    ...findings.slice(0, 50).map(({ rule, contact, detail }) => `  ${rule}: contact ${contact ?? '-'}: ${detail}`),
  ];
  if (findings.length > 50) lines.push(`  … and ${findings.length - 50} more`);
  if (findings.length > 0) lines.push(`  repeat: ${commandOf(plan.seed, webhooks)}`);
  return lines.join('\n');
}

export const commandOf = (seed: number, webhooks: number): string =>
  `npm run chaos -- --seeds 1 --seed ${seed} --webhooks ${webhooks}`;
