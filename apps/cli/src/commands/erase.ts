import type { Command } from 'commander';
import { recordOf } from '#libs/contracts';
import type { Erased } from '#libs/event-store';
import { eraseSubject, tellErasure } from '#libs/process';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { withStore } from '../store';

interface Options {
  dryRun: boolean;
  by: string;
  json: boolean;
}

/** `refrain erase`: cancels, drops and forgets what the hub holds of a record beside its events. */
export function addErase(program: Command): void {
  program
    .command('erase <tenant> <subject>')
    .description(
      'erase what the ledger, the mailbox and the plans hold of a record such as contact:541935488729: open work is ' +
        'cancelled, parked inputs are dropped, receipts lose what was asked and answered, its card loses all. Its events and the topics stay',
    )
    .option('--dry-run', 'only count', false)
    .addOption(byOption())
    .option('--json', 'print as JSON', false)
    .action(erase);
}

async function erase(tenant: string, subject: string, { dryRun, by, json }: Options): Promise<void> {
  if (!recordOf(subject)?.id) throw new UsageError(`${subject} is no record; one is named like contact:541935488729`);
  const found = await withStore(async (pool) => {
    const erased = await eraseSubject(pool, { tenant, subject, by, dryRun });
    if (!dryRun) await tellErasure(pool, { tenant, subject, by });
    return erased;
  });
  const lines = Object.entries(found).map(([service, erased]) => `${service.padEnd(20)} ${textOf(erased, dryRun)}`);
  print(json, { dryRun, services: found }, lines.join('\n') || `Nothing is held of ${tenant}:${subject}.`);
}

const textOf = (erased: Erased, dryRun: boolean): string =>
  [
    dryRun ? 'would erase' : 'erased',
    `${String(erased.effects)} effects (${String(erased.cancelled)} of them open),`,
    `${String(erased.inputs)} waiting inputs, ${String(erased.outcomes)} unheard answers,`,
    `${String(erased.shared)} shared answers, ${String(erased.planned)} rows of plans;`,
    `${dryRun ? 'would free' : 'freed'} ${String(erased.freed)} parked keys`,
  ].join(' ');
