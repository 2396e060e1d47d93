import { topics } from '#libs/contracts';
import { pendingMigrations } from '#libs/event-store';
import { checkTopics, withAdmin } from '#libs/log';
import { accountsOf, ConfigError, type Environment, loadConfig } from '#libs/platform';
import { needsOf, type Recipe, type Uses, usesOf } from '#libs/recipes';
import { HeygenClient } from '#libs/vendors/heygen';
import { HubspotAccounts, type Pipeline } from '#libs/vendors/hubspot';
import { OpenAiClient } from '#libs/vendors/openai';
import type { z } from 'zod';
import { crmConfig, doctorConfig, logConfig, storeConfig } from '../cli.config';
import { liveRecipes } from '../live-recipes';
import { type AccountFacts, judgeAccount } from './account';
import { hubspotDoor, readDoor } from './door';
import { type Finding, finding, type FindingCode } from './finding';
import { type Defined, judgePreparation, judgeProperties, judgeStages } from './portal';
import type { Check } from './run';
import { judgeMigrations, judgeModels, judgeTemplates, judgeTopics } from './vendors';
import { judgeDoor, judgeWebhooks } from './webhooks';

/** What is to be looked at: one tenant or all, by the recipes of a path or those that are live. */
export interface Scope {
  tenant?: string;
  recipes?: string;
}

type DoctorConfig = z.infer<typeof doctorConfig>;

/** All checks for these settings; what keeps some of them from being made is found already. */
export async function checksFor(
  { tenant, recipes: path }: Scope,
  env: Environment,
): Promise<{ checks: Check[]; found: Finding[] }> {
  const found: Finding[] = [];
  const config = settings(doctorConfig, env, found);
  const { recipes, findings } = await recipesOf(path);
  found.push(...findings);
  const hubspot = accountsIn(env, found);
  const tenants = tenant === undefined ? (hubspot?.accounts.tenants ?? []) : [tenant];
  const uses = tenants.map((one) => usesOf(recipes, one));
  return {
    checks: [
      ...(hubspot && config ? tenants.flatMap((one) => hubspotChecks(one, hubspot, recipes, config)) : []),
      ...(config
        ? [...doorCheck(config, hubspot?.secretOf(tenants)), ...videoCheck(config, uses), ...modelCheck(config, uses)]
        : []),
      ...logCheck(env, found),
      ...storeCheck(env, found),
    ],
    found,
  };
}

async function recipesOf(path: string | undefined): Promise<{ recipes: Recipe[]; findings: Finding[] }> {
  const remedy = 'Set RECIPES_DIR, or DATABASE_URL where recipes are published; or name them with --recipes.';
  try {
    const { recipes, faults } = await liveRecipes(path);
    const findings = faults.map((fault) =>
      finding('recipes-faulty', 'recipes', fault, 'Correct it, and see `refrain recipes test`.'),
    );
    if (recipes.length > 0 || faults.length > 0) return { recipes, findings };
    return {
      recipes,
      findings: [
        finding('recipes-none', 'recipes', 'No recipe is live: nothing of what they need was looked at', remedy),
      ],
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    return { recipes: [], findings: [finding('recipes-faulty', 'recipes', `They cannot be read: ${why}`, remedy)] };
  }
}

/** Settings where they are good; what is wrong with them is found. */
function settings<S extends z.ZodObject>(schema: S, env: Environment, found: Finding[]): z.infer<S> | undefined {
  try {
    return loadConfig(schema, env);
  } catch (error) {
    return faulty(error, found);
  }
}

function faulty(error: unknown, found: Finding[]): undefined {
  if (!(error instanceof ConfigError)) throw error;
  found.push(
    ...error.faults.map((fault) => {
      const [what = fault, remedy = 'correct it'] = fault.split('; ');
      return finding('settings-faulty', 'settings', what, `${remedy[0]?.toUpperCase() ?? ''}${remedy.slice(1)}.`);
    }),
  );
}

interface Hubspot {
  accounts: HubspotAccounts;
  portalsOf(tenant: string): readonly number[] | undefined;
  /** The client secret of the app that tenants have installed; undefined where none of them was by OAuth. */
  secretOf(tenants: readonly string[]): string | undefined;
}

function accountsIn(env: Environment, found: Finding[]): Hubspot | undefined {
  const config = settings(crmConfig, env, found);
  if (!config) return undefined;
  try {
    const declared = accountsOf(config, env);
    const isOf = (tenants: readonly string[]) => (one: { tenant?: string }) => tenants.includes(one.tenant ?? '');
    return {
      accounts: new HubspotAccounts(declared),
      portalsOf: (tenant) => config.TENANTS_FILE?.find((one) => one.tenant === tenant)?.portals,
      secretOf: (tenants) =>
        declared
          .filter(isOf(tenants))
          .flatMap(({ token }) => (typeof token === 'function' ? [] : [token.clientSecret()]))[0],
    };
  } catch (error) {
    return faulty(error, found);
  }
}

function hubspotChecks(tenant: string, hubspot: Hubspot, recipes: readonly Recipe[], config: DoctorConfig): Check[] {
  const { accounts } = hubspot;
  const client = accounts.of(tenant);
  const where = `HubSpot account ${tenant}`;
  const uses = usesOf(recipes, tenant);
  const needs = needsOf(recipes, tenant);
  let reading: Promise<AccountFacts> | undefined;
  const account = (signal: AbortSignal) => (reading ??= readAccount(signal));
  // What is read of the portal by a token that is not taken says nothing more.
  const ifTaken = (look: (signal: AbortSignal) => Promise<Finding[]>) => async (signal: AbortSignal) =>
    (await account(signal)).account.outcome === 'done' ? look(signal) : [];
  return [
    { name: `${where}: token and limits`, run: async (signal) => judgeAccount(await account(signal)) },
    {
      name: `${where}: properties`,
      run: ifTaken(async (signal) =>
        judgeProperties({ tenant, uses: uses.properties, defined: await definedIn(uses, signal) }),
      ),
    },
    { name: `${where}: what init hubspot makes`, run: ifTaken(prepared) },
    {
      name: `${where}: stages`,
      run: ifTaken(async (signal) =>
        judgeStages({ tenant, stages: uses.stages, pipelines: await pipelinesIn(uses, signal) }),
      ),
    },
    { name: `${where}: webhooks`, run: webhooks },
  ];

  async function readAccount(signal: AbortSignal): Promise<AccountFacts> {
    const [token, info] = await Promise.all([accounts.tokenInfo(tenant, signal), client.accountInfo(signal)]);
    const declaredApp = accounts.appId(tenant);
    const plan = accounts.plan(tenant);
    const declaredPortals = hubspot.portalsOf(tenant);
    return {
      where,
      ...(declaredApp === undefined ? {} : { declaredApp }),
      ...(declaredPortals ? { declaredPortals } : {}),
      ...(plan ? { plan } : {}),
      scopes: needs.scopes,
      token,
      account: info,
    };
  }

  async function definedIn({ properties }: Uses, signal: AbortSignal) {
    const read = async (object: string) => {
      const present = await client.properties(object, signal);
      if (present.outcome !== 'done') return present;
      const names = new Set(present.value.map(({ name }) => name));
      const isComplete = properties.every((use) => use.object !== object || names.has(use.property));
      const archived = isComplete ? undefined : await client.properties(object, signal, true);
      const value: Defined = {
        present: present.value,
        archived: archived?.outcome === 'done' ? archived.value.map(({ name }) => name) : [],
      };
      return { outcome: 'done', value } as const;
    };
    return byKey(new Set(properties.map(({ object }) => object)), read);
  }

  async function pipelinesIn({ stages }: Uses, signal: AbortSignal): Promise<Map<string, Pipeline[]>> {
    const answers = await byKey(new Set(stages.map(({ object }) => object)), (object) =>
      client.pipelines(object, signal),
    );
    return new Map(
      [...answers].map(([object, answer]) => {
        if (answer.outcome !== 'done')
          throw new Error(`the pipelines of ${object} records: ${answer.code}: ${answer.message}`);
        return [object, answer.value];
      }),
    );
  }

  async function prepared(signal: AbortSignal): Promise<Finding[]> {
    const answer = await client.preparation(signal);
    if (answer.outcome !== 'done') throw new Error(`${answer.code}: ${answer.message}`);
    return judgePreparation(tenant, answer.value, uses.properties);
  }

  async function webhooks(signal: AbortSignal): Promise<Finding[]> {
    if (needs.subscriptions.length === 0) return [];
    const at = `${where}: webhooks`;
    const { HUBSPOT_DEVELOPER_KEY: developerKey, PUBLIC_URL } = config;
    const { token } = await account(signal);
    const appId = token.outcome === 'done' ? token.value.appId : accounts.appId(tenant);
    const remedy =
      'For a project app compare with what `refrain init hubspot-app` writes, for a private one look at its settings; for a legacy public one set HUBSPOT_DEVELOPER_KEY.';
    if (developerKey === undefined || appId === undefined)
      return [
        finding(
          'subscriptions-unread',
          at,
          'What the app is subscribed to cannot be read for this kind of app',
          remedy,
        ),
      ];
    const answer = await client.appWebhooks({ appId, developerKey }, signal);
    if (answer.outcome !== 'done')
      return [
        finding('subscriptions-unread', at, `What the app is subscribed to cannot be read: ${answer.code}`, remedy),
      ];
    const target = PUBLIC_URL === undefined ? {} : { target: hubspotDoor(PUBLIC_URL) };
    return judgeWebhooks({ where: at, needs: needs.subscriptions, webhooks: answer.value, ...target });
  }
}

const byKey = async <T>(keys: Iterable<string>, read: (key: string) => Promise<T>): Promise<Map<string, T>> =>
  new Map(await Promise.all([...keys].map(async (key) => [key, await read(key)] as const)));

const unchecked = (code: FindingCode, where: string, setting: string): Check => ({
  name: where,
  run: () =>
    Promise.resolve([
      finding(
        code,
        where,
        `It was not looked at: ${setting} is not set here`,
        `Set ${setting} as the services have it.`,
      ),
    ]),
});

function doorCheck({ PUBLIC_URL, HUBSPOT_CLIENT_SECRET }: DoctorConfig, ofApp: string | undefined): Check[] {
  if (PUBLIC_URL === undefined) return [unchecked('gateway-unchecked', 'gateway', 'PUBLIC_URL')];
  const secret = HUBSPOT_CLIENT_SECRET ?? ofApp;
  return [{ name: 'gateway', run: async (signal) => judgeDoor(await readDoor(PUBLIC_URL, secret, signal)) }];
}

function videoCheck({ HEYGEN_BASE_URL: baseUrl, HEYGEN_API_KEY: apiKey }: DoctorConfig, all: readonly Uses[]): Check[] {
  const uses = distinct(all.flatMap(({ templates }) => templates));
  if (uses.length === 0) return [];
  if (apiKey === undefined) return [unchecked('heygen-unchecked', 'HeyGen', 'HEYGEN_API_KEY')];
  const client = new HeygenClient({ baseUrl, apiKey });
  const run = async (signal: AbortSignal) =>
    judgeTemplates(
      uses,
      await byKey(new Set(uses.map(({ template }) => template)), (id) => client.template(id, signal)),
    );
  return [{ name: 'HeyGen', run }];
}

function modelCheck({ OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey }: DoctorConfig, all: readonly Uses[]): Check[] {
  const uses = distinct(all.flatMap(({ models }) => models));
  if (uses.length === 0) return [];
  if (apiKey === undefined) return [unchecked('openai-unchecked', 'OpenAI', 'OPENAI_API_KEY')];
  const client = new OpenAiClient({ baseUrl, apiKey });
  return [{ name: 'OpenAI', run: async (signal) => judgeModels(uses, await client.models(signal), Date.now()) }];
}

const distinct = <T>(all: readonly T[]): T[] => [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];

function logCheck(env: Environment, found: Finding[]): Check[] {
  const where = 'Kafka';
  if (!isSet(env, 'KAFKA_BROKERS')) return [unchecked('kafka-unchecked', where, 'KAFKA_BROKERS')];
  const config = settings(logConfig, env, found);
  if (!config) return [];
  const run = async () => {
    const connection = { brokers: config.KAFKA_BROKERS, clientId: 'refrain-cli' };
    try {
      return judgeTopics(
        await withAdmin(connection, (admin) => checkTopics(admin, topics, { prefix: config.TOPIC_PREFIX })),
      );
    } catch (error) {
      return [unreachable('kafka-unreachable', where, 'KAFKA_BROKERS', error)];
    }
  };
  return [{ name: where, run }];
}

function storeCheck(env: Environment, found: Finding[]): Check[] {
  const where = 'Postgres';
  if (!isSet(env, 'DATABASE_URL')) return [unchecked('postgres-unchecked', where, 'DATABASE_URL')];
  const config = settings(storeConfig, env, found);
  if (!config) return [];
  const run = async () => {
    try {
      return judgeMigrations(await pendingMigrations(config.DATABASE_URL));
    } catch (error) {
      return [unreachable('postgres-unreachable', where, 'DATABASE_URL', error)];
    }
  };
  return [{ name: where, run }];
}

const isSet = (env: Environment, name: string): boolean => Boolean(env[name]) || Boolean(env[`${name}_FILE`]);

/** A driver's message can hold the address with its password: only its code is told. */
const unreachable = (code: FindingCode, where: string, setting: string, error: unknown): Finding => {
  const { code: said, name } = error as { code?: unknown; name?: unknown };
  return finding(
    code,
    where,
    `It cannot be reached (${String(said ?? name)})`,
    `See that it runs, and that ${setting} leads to it from here.`,
  );
};
