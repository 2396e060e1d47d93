import type { Command } from 'commander';
import { type Installation, installations } from '#libs/event-store';
import { withAccounts } from '../accounts';
import { print, UsageError } from '../output';
import { withStore } from '../store';

/** `refrain installations`: which customers have installed the app, and taking it out of an account. */
export function addInstallations(program: Command): void {
  const group = program.command('installations').description("customers' installations of the HubSpot app");
  group
    .command('ls')
    .description('list them: account, state, what was granted, and until when the token lives; never a token')
    .option('--json', 'print as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const all = await withStore(installations);
      print(json, { installations: all }, all.map(textOf).join('\n') || 'Nobody has installed the app yet.');
    });
  group
    .command('uninstall <tenant>')
    .description(
      "take the app out of a tenant's HubSpot account and forget its tokens; HubSpot tells its administrators",
    )
    .option('--yes', 'do it; without it nothing is changed', false)
    .option('--json', 'print as JSON', false)
    .action(async (tenant: string, { yes, json }: { yes: boolean; json: boolean }) => {
      const found = (await withStore(installations)).find((one) => one.tenant === tenant);
      if (found?.state !== 'active') throw new UsageError(`no app is installed for the tenant ${tenant}`);
      if (yes) await withAccounts(async (accounts) => accounts().installations?.uninstall(tenant));
      const where = `account ${String(found.portal)} of ${tenant}`;
      const text = yes
        ? `The app is no longer installed in ${where}; what is owed there waits.`
        : `The app would be taken out of ${where}; --yes does it.`;
      print(json, { tenant, portal: found.portal, uninstalled: yes }, text);
    });
}

function textOf({ tenant, portal, app, state, scopes, expiresAt, changedAt }: Installation): string {
  const until =
    state === 'active' ? `token until ${expiresAt?.toISOString() ?? 'now'}` : `since ${changedAt.toISOString()}`;
  return `${tenant}  account ${String(portal)}  app ${app}  ${state}, ${until}\n  ${scopes.join(' ')}`;
}
