import type { Command } from 'commander';
import type { Answer } from '#libs/contracts';
import { accountsOf, loadConfig } from '#libs/platform';
import { HubspotAccounts, type Preparation } from '#libs/vendors/hubspot';
import { crmConfig } from '../cli.config';
import { print } from '../output';

const LIMIT_MS = 60_000;

/** `refrain init hubspot`: the property groups and properties that the hub writes to. */
export function addInitHubspot(init: Command): void {
  init
    .command('hubspot')
    .description('create the contact properties that the hub writes; shows what is missing first')
    .option('--tenant <name>', 'whose account it is', 'default')
    .option('--yes', 'create what is missing; without it nothing is changed', false)
    .option('--dry-run', 'change nothing, also with --yes', false)
    .option('--json', 'print what is missing as JSON', false)
    .action(async ({ tenant, yes, dryRun, json }: Record<'yes' | 'dryRun' | 'json', boolean> & { tenant: string }) => {
      const hubspot = new HubspotAccounts(accountsOf(loadConfig(crmConfig, process.env), process.env)).of(tenant);
      const found = told(await hubspot.preparation(AbortSignal.timeout(LIMIT_MS)));
      const created = yes && !dryRun;
      if (created) told(await hubspot.prepare(found, AbortSignal.timeout(LIMIT_MS)));
      print(json, { tenant, ...found, created }, textOf(found, created));
      // A property of another type refuses our values until a person has changed it.
      if (found.differing.length > 0) process.exitCode = 1;
    });
}

function told<T>(answer: Answer<T>): T {
  if (answer.outcome === 'done') return answer.value;
  throw new Error(`HubSpot: ${answer.code}: ${answer.message}`);
}

function textOf({ groups, properties, differing }: Preparation, created: boolean): string {
  const missing = [
    ...groups.map((group) => `+ group ${group.name} (${group.label})`),
    ...properties.map((property) => `+ property ${property.name} (${property.label}, ${property.type})`),
  ];
  const faults = differing.map(
    ({ name, is, shouldBe }) =>
      `! property ${name} is ${is}, not ${shouldBe}: change it in HubSpot, or rename it there`,
  );
  const done = created ? 'Created.' : 'Nothing was changed; --yes creates them.';
  if (missing.length === 0)
    return [...faults, ...(faults.length === 0 ? ['The portal has every group and property.'] : [])].join('\n');
  return [...missing, ...faults, done].join('\n');
}
