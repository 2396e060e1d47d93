import type { Command } from 'commander';
import { loadConfig } from '#libs/platform';
import { createLacking, type Lacking, lackingProperties } from '#libs/vendors/hubspot';
import { crmConfig } from '../cli.config';
import { print } from '../output';

/** `refrain init hubspot`: the property groups and properties that the hub writes to. */
export function addInitHubspot(program: Command): void {
  program
    .command('init')
    .description('prepare a vendor account')
    .command('hubspot')
    .description('create the contact properties that the hub writes; shows what is missing first')
    .option('--yes', 'create what is missing; without it nothing is changed', false)
    .option('--json', 'print what is missing as JSON', false)
    .action(async ({ yes, json }: { yes: boolean; json: boolean }) => {
      const config = loadConfig(crmConfig, process.env);
      const settings = { baseUrl: config.HUBSPOT_BASE_URL, accessToken: config.HUBSPOT_ACCESS_TOKEN };
      const lacking = await lackingProperties(settings);
      if (yes) await createLacking(settings, lacking);
      print(json, { ...lacking, created: yes }, textOf(lacking, yes));
    });
}

function textOf({ groups, properties }: Lacking, created: boolean): string {
  if (groups.length + properties.length === 0) return 'The portal has every group and property.';
  const lines = [
    ...groups.map((group) => `+ group ${group.name} (${group.label})`),
    ...properties.map((property) => `+ property ${property.name} (${property.label}, ${property.type})`),
  ];
  return [...lines, created ? 'Created.' : 'Nothing was changed; --yes creates them.'].join('\n');
}
