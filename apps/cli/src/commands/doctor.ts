import type { Command } from 'commander';
import { withAccounts } from '../accounts';
import { checksFor, type Scope } from '../doctor/checks';
import { type Finding, type Severity, sortedFindings } from '../doctor/finding';
import { runChecks } from '../doctor/run';
import { recipesOption } from '../live-recipes';
import { print } from '../output';

const LIMIT_MS = 15_000;

/** `refrain doctor`: what is wrong, before people ask. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'say what is wrong with accounts, portals, webhooks and vendors for the recipes that are live; changes and bills nothing, exits 1 where there are errors',
    )
    .option('--tenant <name>', 'only the account of this tenant')
    .addOption(recipesOption())
    .option('--json', 'print what is found as JSON', false)
    .action(doctor);
}

async function doctor({ json, ...scope }: Scope & { json: boolean }): Promise<void> {
  const findings = await withAccounts(async (accounts) => {
    const { checks, found } = await checksFor(scope, accounts);
    return sortedFindings([...found, ...(await runChecks(checks, LIMIT_MS))]);
  });
  const count = (severity: Severity) => findings.filter((one) => one.severity === severity).length;
  const counts = { errors: count('error'), warnings: count('warning'), notes: count('note') };
  print(json, { ...counts, findings }, [...findings.map(textOf), sumOf(counts)].join('\n'));
  if (counts.errors > 0) process.exitCode = 1;
}

const textOf = ({ code, severity, where, what, remedy }: Finding): string =>
  `${severity}: ${where}\n  ${what}. [${code}]\n  → ${remedy}\n`;

function sumOf({ errors, warnings, notes }: Record<'errors' | 'warnings' | 'notes', number>): string {
  return errors + warnings + notes === 0
    ? 'Nothing is wrong.'
    : `${counted(errors, 'error')}, ${counted(warnings, 'warning')}, ${counted(notes, 'note')}.`;
}

const counted = (n: number, what: string): string => `${String(n)} ${what}${n === 1 ? '' : 's'}`;
