import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '#libs/platform';
import { type Recipe, RecipeFault, recipesOf, subscriptionsOf } from '#libs/recipes';
import type { HubspotAccounts } from '#libs/vendors/hubspot';
import { type OpenedAccounts, withAccounts } from '../accounts';
import { developerConfig } from '../cli.config';
import { hubspotTarget } from '../hubspot-target';
import { tooMany, type WebhookChange, type WebhookPlan, webhookPlan } from '../hubspot-webhooks';
import { liveRecipes, recipesOption } from '../live-recipes';
import { print } from '../output';
import { CALL_LIMIT_MS, carryOut, OTHER_KINDS, patiently, planned, type Result, told } from '../webhook-changes';

interface Options {
  tenant: string;
  recipes?: string;
  url?: string;
  maxConcurrentRequests?: number;
  pauseUnneeded: boolean;
  yes: boolean;
  dryRun: boolean;
  json: boolean;
}

/** `refrain init hubspot-webhooks`: the webhooks of a legacy public app, as the live recipes need them. */
export function addInitHubspotWebhooks(init: Command): void {
  init
    .command('hubspot-webhooks')
    .description(
      'let the webhooks of a legacy public app go to the gateway, with all subscriptions that the live recipes need; shows ' +
        'what would change first, and deletes nothing. The developer API key is read from HUBSPOT_DEVELOPER_KEY or ' +
        'HUBSPOT_DEVELOPER_KEY_FILE; of any other kind of app webhooks stand in its project (init hubspot-app)',
    )
    .option(
      '--tenant <name>',
      'the app in whose account; recipes of others that have the same app count too',
      'default',
    )
    .addOption(recipesOption())
    .option('--url <url>', 'address under which HubSpot calls the gateway; PUBLIC_URL unless said')
    .option(
      '--max-concurrent-requests <number>',
      'how many requests HubSpot may send at once, from 6 on; as it is unless said, or 10',
      manyEnough,
    )
    .option('--pause-unneeded', 'pause subscriptions that no live recipe needs; without it they are only shown', false)
    .option('--yes', 'do it; without it nothing is changed', false)
    .option('--dry-run', 'change nothing, also with --yes', false)
    .option('--json', 'print what would change, and what came of it, as JSON', false)
    .action((options: Options) => withAccounts((accounts) => manage(options, accounts)));
}

function manyEnough(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) > 5) return Number(text);
  throw new InvalidArgumentError('HubSpot takes a whole number greater than 5.');
}

async function manage(
  { json, yes, dryRun, tenant, recipes: path, url, ...wishes }: Options,
  open: () => OpenedAccounts,
): Promise<void> {
  const targetUrl = hubspotTarget(url);
  const { recipes, faults } = await liveRecipes(path);
  // Of a part of the recipes nobody can say what is not needed.
  if (faults.length > 0) throw new RecipeFault(faults);
  const { HUBSPOT_DEVELOPER_KEY: developerKey } = loadConfig(developerConfig, process.env);
  if (developerKey === undefined) throw new Error(`HUBSPOT_DEVELOPER_KEY is not set. ${OTHER_KINDS}`);
  const { hubspot: accounts } = open();
  const app = { appId: await appOf(accounts, tenant), developerKey };
  const client = accounts.of(tenant);
  const webhooks = told(await patiently((signal) => client.appWebhooks(app, signal)), app);
  const own = await recipesOfApp(recipes, accounts, tenant, app.appId);
  if (own.length === 0) throw new Error(`no recipe is live for app ${app.appId}: without recipes it needs no webhooks`);
  const needs = subscriptionsOf(own);
  const plan = webhookPlan(webhooks, { ...wishes, needs, targetUrl });
  const refusal = tooMany(webhooks, plan);
  if (refusal !== undefined) throw new Error(refusal);
  const done = yes && !dryRun;
  const results = done ? await carryOut(client, app, plan.changes) : plan.changes.map(planned);
  print(json, { app: app.appId, ...plan, changes: results, done }, textOf(app.appId, plan, results, done));
  const isWhole = results.every(({ state }) => state === 'done' || state === 'planned');
  if (!isWhole || plan.impossible.some(({ fate }) => !fate)) process.exitCode = 1;
}

/** The app that a tenant's token is of, or the declared one. Throws where nobody knows, and where they differ. */
async function appOf(accounts: HubspotAccounts, tenant: string): Promise<string> {
  const [declared, asked] = [accounts.appId(tenant), await tokensApp(accounts, tenant)];
  if (declared !== undefined && 'appId' in asked && asked.appId !== declared)
    throw new Error(`app ${declared} is declared as our own, and the token is of app ${asked.appId}`);
  const appId = 'appId' in asked ? asked.appId : declared;
  if (appId !== undefined) return appId;
  const why = 'code' in asked ? asked.code : 'unknown';
  throw new Error(`HubSpot does not say whose the token is (${why}): declare the app (HUBSPOT_APP_ID)`);
}

async function tokensApp(accounts: HubspotAccounts, tenant: string): Promise<{ appId: string } | { code: string }> {
  const answer = await accounts.tokenInfo(tenant, AbortSignal.timeout(CALL_LIMIT_MS));
  return answer.outcome === 'done' ? { appId: answer.value.appId } : { code: answer.code };
}

/** An app has its subscriptions once, for all who installed it. Of whom nobody knows the app, it is taken to be this one. */
async function recipesOfApp(
  recipes: readonly Recipe[],
  accounts: HubspotAccounts,
  tenant: string,
  appId: string,
): Promise<readonly Recipe[]> {
  const tenants = await Promise.all(
    accounts.tenants.map(async (name) => {
      const asked = name === tenant ? { appId } : await tokensApp(accounts, name);
      const app = 'appId' in asked ? asked.appId : accounts.appId(name);
      return app === undefined || app === appId ? [name] : [];
    }),
  );
  const own = new Set(tenants.flat().flatMap((name) => recipesOf(recipes, name)));
  return accounts.isEveryones ? recipes : recipes.filter((recipe) => own.has(recipe));
}

function textOf(
  appId: string,
  { unneeded, impossible }: WebhookPlan,
  results: readonly Result[],
  done: boolean,
): string {
  const paused = results.some(({ change }) => change === 'pause');
  const count = (state: Result['state']) => String(results.filter((one) => one.state === state).length);
  const end = done
    ? `${count('done')} done, ${count('failed')} failed, ${count('left')} left.`
    : 'Nothing was changed; --yes does it.';
  return [
    `App ${appId}`,
    ...results.map(lineOf),
    ...impossible.map(
      ({ event, for: users, why }) => `! ${event} cannot be subscribed to, for ${users.join(', ')}: ${why}`,
    ),
    ...(paused ? [] : unneeded.map((event) => `  ${event} is needed by no recipe; --pause-unneeded pauses it`)),
    results.length > 0 ? end : 'Its webhooks are as they should be.',
  ].join('\n');
}

const marks: Record<WebhookChange['change'], string> = { target: '~', subscribe: '+', activate: '^', pause: '-' };

function lineOf(result: Result): string {
  const { change, state, why } = result;
  const came = { planned: '', done: '', failed: `: FAILED: ${why ?? ''}`, left: ': not tried' }[state];
  return `${marks[change]} ${wordsOf(result)}${came}`;
}

function wordsOf(change: WebhookChange): string {
  if (change.change !== 'target') {
    const users = change.for.length > 0 ? `, for ${change.for.join(', ')}` : '';
    return `${change.change} ${change.event}${users}`;
  }
  const { target, was } = change;
  return `target ${target.targetUrl}, ${String(target.maxConcurrentRequests)} requests at once${was === undefined ? '' : `, instead of ${was}`}`;
}
