import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '#libs/platform';
import { needsOf, RecipeFault } from '#libs/recipes';
import { publicConfig } from '../cli.config';
import { hubspotDoor } from '../doctor/door';
import { type AppFile, appFiles, appText, hubspotApp } from '../hubspot-app';
import { liveRecipes, recipesOption } from '../live-recipes';
import { print, UsageError } from '../output';

interface Options {
  out: string;
  tenant: string;
  recipes?: string;
  url?: string;
  redirectUrl?: string;
  dryRun: boolean;
  json: boolean;
}

/** `refrain init hubspot-app`: the project of a HubSpot app that asks for what the live recipes need, and no more. */
export function addInitHubspotApp(init: Command): void {
  init
    .command('hubspot-app')
    .description(
      "write the project of a HubSpot app for HubSpot's own command line (`hs project upload`), with exactly the scopes and " +
        'webhooks that the live recipes need; what else stands in a project that is there stays',
    )
    .requiredOption('--out <folder>', 'the folder of the project')
    .option('--tenant <name>', 'whose recipes they are', 'default')
    .addOption(recipesOption())
    .option('--url <url>', 'address under which HubSpot calls the gateway; PUBLIC_URL unless said')
    .option(
      '--redirect-url <url>',
      'where an installation by OAuth comes back to; without it the app is for one account',
    )
    .option('--dry-run', 'only say what would be written', false)
    .option('--json', 'print the files as JSON', false)
    .action(write);
}

async function write({ out, tenant, recipes: path, url, redirectUrl, dryRun, json }: Options): Promise<void> {
  const { recipes, faults } = await liveRecipes(path);
  if (faults.length > 0) throw new RecipeFault(faults);
  if (recipes.length === 0) throw new Error('no recipe is live: an app without recipes needs nothing');
  const needs = needsOf(recipes, tenant);
  const options = { target: hubspotDoor(publicUrl(url)), ...(redirectUrl === undefined ? {} : { redirectUrl }) };
  const texts = textsIn(out);
  const app = hubspotApp(
    needs,
    options,
    Object.fromEntries([...texts].map(([file, text]) => [file, parsed(file, text)])),
  );
  const files = appFiles.map((file) => {
    const content = appText(app[file]);
    const former = texts.get(file);
    return { file, state: former === undefined ? 'new' : former === content ? 'unchanged' : 'changed', content };
  });
  if (!dryRun) for (const { file, content } of files) put(join(out, file), content);
  print(json, { out, dryRun, needs, files }, files.map(({ file, state }) => `${join(out, file)}: ${state}`).join('\n'));
}

function publicUrl(said: string | undefined): string {
  const url = said ?? loadConfig(publicConfig, process.env).PUBLIC_URL;
  if (url !== undefined && URL.canParse(url) && url.startsWith('https://')) return url.replace(/\/+$/, '');
  throw new UsageError("HubSpot calls https addresses alone: give the gateway's with --url, or set PUBLIC_URL");
}

const textsIn = (folder: string): Map<AppFile, string> =>
  new Map(
    appFiles.flatMap((file) => {
      const path = join(folder, file);
      return existsSync(path) ? [[file, readFileSync(path, 'utf8')] as const] : [];
    }),
  );

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
