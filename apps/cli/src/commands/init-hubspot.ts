import type { Command } from 'commander';
import type { Answer } from '#libs/contracts';
import { usesOf } from '#libs/recipes';
import type { Preparation, Wishes } from '#libs/vendors/hubspot';
import { withAccounts } from '../accounts';
import { wishesOf } from '../hubspot-properties';
import { recipesIfKnown, recipesOption } from '../live-recipes';
import { print } from '../output';

const LIMIT_MS = 60_000;

interface Options {
  tenant: string;
  recipes?: string;
  yes: boolean;
  dryRun: boolean;
  json: boolean;
}

/** `refrain init hubspot`: the property groups and properties that the hub writes to. */
export function addInitHubspot(init: Command): void {
  init
    .command('hubspot')
    .description(
      'create the properties that the hub writes, on contacts and on what other records the recipes write them to; shows ' +
        'what is missing first',
    )
    .option('--tenant <name>', 'whose account it is', 'default')
    .addOption(recipesOption())
    .option('--yes', 'create what is missing; without it nothing is changed', false)
    .option('--dry-run', 'change nothing, also with --yes', false)
    .option('--json', 'print what is missing as JSON', false)
    .action(async ({ tenant, recipes, yes, dryRun, json }: Options) => {
      const created = yes && !dryRun;
      const objects: Preparation[] = [];
      await withAccounts(async (accounts) => {
        const hubspot = accounts().hubspot.of(tenant);
        for (const wishes of await wishesFor(tenant, recipes)) {
          const found = told(await hubspot.preparation(wishes, AbortSignal.timeout(LIMIT_MS)));
          if (created) told(await hubspot.prepare(found, AbortSignal.timeout(LIMIT_MS)));
          objects.push(found);
        }
      });
      print(json, { tenant, objects, created }, textOf(objects, created));
      // A property of another type refuses our values until a person has changed it.
      if (objects.some(({ differing }) => differing.length > 0)) process.exitCode = 1;
    });
}

async function wishesFor(tenant: string, path: string | undefined): Promise<Wishes[]> {
  const { recipes, faults } = await recipesIfKnown(path);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return wishesOf(usesOf(recipes, tenant).properties);
}

function told<T>(answer: Answer<T>): T {
  if (answer.outcome === 'done') return answer.value;
  throw new Error(`HubSpot: ${answer.code}: ${answer.message}`);
}

function textOf(objects: readonly Preparation[], created: boolean): string {
  const missing = objects.flatMap(({ object, groups, properties }) => [
    ...groups.map((group) => `+ ${object} group ${group.name} (${group.label})`),
    ...properties.map((property) => `+ ${object} property ${property.name} (${property.label}, ${property.type})`),
  ]);
  const faults = objects.flatMap(({ object, differing }) =>
    differing.map(
      ({ name, is, shouldBe }) =>
        `! ${object} property ${name} is ${is}, not ${shouldBe}: change it in HubSpot, or rename it there`,
    ),
  );
  const done = created ? 'Created.' : 'Nothing was changed; --yes creates them.';
  if (missing.length === 0)
    return [...faults, ...(faults.length === 0 ? ['The portal has every group and property.'] : [])].join('\n');
  return [...missing, ...faults, done].join('\n');
}
