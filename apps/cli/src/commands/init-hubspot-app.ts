import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig, timelineOf } from '#libs/platform';
import { needsOf, RecipeFault } from '#libs/recipes';
import { timelineConfig } from '../cli.config';
import { type AppFile, appFiles, appText, hubspotApp } from '../hubspot-app';
import { cardPlan, cardSources, GATEWAY_FILE, gatewayText, type PlannedFile, stateOf } from '../hubspot-card';
import { gatewayUrl } from '../hubspot-target';
import { liveRecipes, recipesOption } from '../live-recipes';
import { print, UsageError } from '../output';

interface Options {
  out: string;
  tenant: string;
  recipes?: string;
  url?: string;
  redirectUrl?: string;
  replaceCard: boolean;
  dryRun: boolean;
  json: boolean;
}

/** `refrain init hubspot-app`: the project of a HubSpot app that asks for what the live recipes need, and no more. */
export function addInitHubspotApp(init: Command): void {
  init
    .command('hubspot-app')
    .description(
      "write the project of a HubSpot app for HubSpot's own command line (`hs project upload`), with exactly the scopes and " +
        'webhooks that the live recipes need, and with the card for record pages; what else stands in a project that is ' +
        'there stays',
    )
    .requiredOption('--out <folder>', 'the folder of the project')
    .option('--tenant <name>', 'whose recipes they are', 'default')
    .addOption(recipesOption())
    .option('--url <url>', 'address under which HubSpot calls the gateway; PUBLIC_URL unless said')
    .option(
      '--redirect-url <url>',
      'where an installation by OAuth comes back to; without it the app is for one account',
    )
    .option('--replace-card', "write the card's source also where a project has another one", false)
    .option('--dry-run', 'only say what would be written', false)
    .option('--json', 'print the files as JSON', false)
    .action(write);
}

async function write(options: Options): Promise<void> {
  const { out, tenant, recipes: path, url, redirectUrl, dryRun, json } = options;
  const { recipes, faults } = await liveRecipes(path);
  if (faults.length > 0) throw new RecipeFault(faults);
  if (recipes.length === 0) throw new Error('no recipe is live: an app without recipes needs nothing');
  const needs = needsOf(recipes, tenant, timelineOf(loadConfig(timelineConfig, process.env), tenant));
  const gateway = gatewayUrl(url);
  const present = (file: string) => textOf(join(out, file));
  const app = hubspotApp(needs, { gateway, ...(redirectUrl === undefined ? {} : { redirectUrl }) }, parsedIn(present));
  const written = [
    ...appFiles.map((file) => [file, appText(app[file])]),
    [GATEWAY_FILE, gatewayText(gateway)],
  ] as const;
  const files: PlannedFile[] = [
    ...written.map(([file = '', content = '']) => ({ file, content, state: stateOf(content, present(file)) })),
    ...cardPlan(cardSources(), present, options.replaceCard),
  ];
  if (!dryRun)
    for (const { file, content, state } of files)
      if (state === 'new' || state === 'changed') put(join(out, file), content);
  const lines = files.map(({ file, state }) => `${join(out, file)}: ${state}`);
  if (files.some(({ state }) => state === 'kept')) lines.push(KEPT);
  print(json, { out, dryRun, needs, files }, lines.join('\n'));
}

const KEPT =
  "The card's source there is another one than this version brings: somebody changed it, or it is older. None of ours was " +
  'written; --replace-card writes all of it over theirs.';

const textOf = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

function parsedIn(present: (file: string) => string | undefined): Partial<Record<AppFile, unknown>> {
  const there = appFiles.flatMap((file) => {
    const text = present(file);
    return text === undefined ? [] : [[file, parsed(file, text)] as const];
  });
  return Object.fromEntries(there);
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UsageError(`${file} is there and is no JSON: mend it, or choose another folder`);
  }
}

function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
