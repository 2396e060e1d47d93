import { topics } from '#libs/contracts';
import { pendingMigrations } from '#libs/event-store';
import { checkTopics, withAdmin } from '#libs/log';
import { ConfigError, loadConfig, needsStoreKeys, videoStoreOf } from '#libs/platform';
import { type Recipe, type Uses, usesOf } from '#libs/recipes';
import { ObjectStore } from '#libs/vendors/object-store';
import { OPENAI_ITSELF, OpenAiBatches, OpenAiClient } from '#libs/vendors/openai';
import type { z } from 'zod';
import type { OpenedAccounts } from '../accounts';
import { doctorConfig } from '../cli.config';
import { liveRecipes } from '../live-recipes';
import { readDoor } from './door';
import { type Finding, finding, type FindingCode } from './finding';
import { hubspotChecks } from './hubspot';
import { templateCheck } from '../templates';
import type { Check } from './run';
import { judgeBatches, judgeBucket, judgeMigrations, judgeModels, judgeTopics } from './vendors';
import { judgeDoor } from './webhooks';

/** What is to be looked at: one tenant or all, by the recipes of a path or those that are live. */
export interface Scope {
  tenant?: string;
  recipes?: string;
}

type DoctorConfig = z.infer<typeof doctorConfig>;

/** All checks by the settings; what keeps some of them from being made is found already. */
export async function checksFor(
  { tenant, recipes: path }: Scope,
  accounts: () => OpenedAccounts,
): Promise<{ checks: Check[]; found: readonly Finding[] }> {
  const [{ recipes, found: ofRecipes }, config, hubspot] = [await recipesOf(path), read(settings), read(accounts)];
  const found = [...ofRecipes, ...[config, hubspot].flatMap((one) => ('faults' in one ? one.faults : []))];
  if ('faults' in config) return { checks: [], found };
  const { value } = config;
  const { checks, uses, secret } =
    'faults' in hubspot
      ? { checks: [], uses: [usesOf(recipes, tenant ?? 'default')], secret: undefined }
      : accountChecks(tenant === undefined ? hubspot.value.hubspot.tenants : [tenant], hubspot.value, recipes, value);
  return {
    checks: [
      ...checks,
      doorCheck(value, secret),
      ...videoCheck(value, uses),
      ...bucketCheck(value),
      ...modelCheck(value, uses),
      logCheck(value),
      storeCheck(value),
    ],
    found,
  };
}

async function recipesOf(path: string | undefined): Promise<{ recipes: Recipe[]; found: Finding[] }> {
  const remedy = 'Set RECIPES_DIR, or DATABASE_URL where recipes are published; or name them with --recipes.';
  try {
    const { recipes, faults } = await liveRecipes(path);
    const found = faults.map((fault) =>
      finding('recipes-faulty', 'recipes', fault, 'Correct it, and see `refrain recipes test`.'),
    );
    if (recipes.length > 0 || faults.length > 0) return { recipes, found };
    const what = 'No recipe is live: nothing of what they need was looked at';
    return { recipes, found: [finding('recipes-none', 'recipes', what, remedy)] };
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    return { recipes: [], found: [finding('recipes-faulty', 'recipes', `They cannot be read: ${why}`, remedy)] };
  }
}

const settings = () => loadConfig(doctorConfig, process.env);

/** What settings say; what is wrong with them is found. */
function read<T>(from: () => T): { value: T } | { faults: Finding[] } {
  try {
    return { value: from() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { faults: error.faults.map(faulty) };
  }
}

function faulty(fault: string): Finding {
  const [, what = fault, remedy = 'correct it'] = /^(.*?); (.*)$/s.exec(fault) ?? [];
  return finding('settings-faulty', 'settings', what, `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}.`);
}

function accountChecks(
  names: readonly string[],
  accounts: OpenedAccounts,
  recipes: readonly Recipe[],
  config: DoctorConfig,
) {
  const { hubspot, tenants } = accounts;
  const checks = names.flatMap((tenant) => {
    const portals = tenants.find((one) => one.tenant === tenant)?.portals;
    return hubspotChecks({ tenant, recipes, accounts: hubspot, config, ...(portals ? { portals } : {}) });
  });
  // Whoever has installed an app signs by its secret.
  const [secret] = names.flatMap((tenant) => accounts.clientSecretOf(tenant) ?? []);
  return { checks, uses: names.map((tenant) => usesOf(recipes, tenant)), secret };
}

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

function doorCheck({ PUBLIC_URL, HUBSPOT_CLIENT_SECRET }: DoctorConfig, ofApp: string | undefined): Check {
  if (PUBLIC_URL === undefined) return unchecked('gateway-unchecked', 'gateway', 'PUBLIC_URL');
  const secret = HUBSPOT_CLIENT_SECRET ?? ofApp;
  return { name: 'gateway', run: async (signal) => judgeDoor(await readDoor(PUBLIC_URL, secret, signal)) };
}

function videoCheck(config: DoctorConfig, all: readonly Uses[]): Check[] {
  const uses = distinct(all.flatMap(({ templates }) => templates));
  if (uses.length === 0) return [];
  const run = templateCheck(config, uses);
  return [run ? { name: 'HeyGen', run } : unchecked('heygen-unchecked', 'HeyGen', 'HEYGEN_API_KEY')];
}

function bucketCheck(config: DoctorConfig): Check[] {
  const { VIDEO_STORE_BUCKET: bucket, VIDEO_STORE_PREFIX: prefix } = config;
  if (bucket === undefined) return [];
  const at = videoStoreOf(config);
  const run = async (signal: AbortSignal) =>
    at
      ? judgeBucket(bucket, await new ObjectStore(at).mayPut(`${prefix}refrain-doctor`, signal))
      : [faulty(`VIDEO_STORE_BUCKET: ${needsStoreKeys[1].message}; set both as the services have them`)];
  return [{ name: 'bucket', run }];
}

// Whatever is asked may be too long, and is summed up first: the model for that counts wherever a recipe asks.
function modelCheck(config: DoctorConfig, all: readonly Uses[]): Check[] {
  const { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey, OPENAI_SUMMARY_MODEL: summaryModel } = config;
  const uses = distinct(all.flatMap(({ models }) => models));
  if (uses.length === 0) return [];
  if (apiKey === undefined) return [unchecked('openai-unchecked', 'OpenAI', 'OPENAI_API_KEY')];
  const where = { ...OPENAI_ITSELF, baseUrl, apiKey };
  const [client, batches] = [new OpenAiClient(where), new OpenAiBatches(where)];
  const asked = { uses, summaryModel };
  return [
    { name: 'OpenAI', run: async (signal) => judgeModels(asked, await client.models(signal), Date.now()) },
    { name: 'OpenAI batches', run: async (signal) => judgeBatches(await batches.hasBatches(signal)) },
  ];
}

const distinct = <T>(all: readonly T[]): T[] => [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];

function logCheck({ KAFKA_BROKERS: brokers, TOPIC_PREFIX: prefix }: DoctorConfig): Check {
  const where = 'Kafka';
  if (brokers === undefined) return unchecked('kafka-unchecked', where, 'KAFKA_BROKERS');
  const look = () => withAdmin({ brokers, clientId: 'refrain-cli' }, (admin) => checkTopics(admin, topics, { prefix }));
  return {
    name: where,
    run: ifReached('kafka-unreachable', where, 'KAFKA_BROKERS', async () => judgeTopics(await look())),
  };
}

function storeCheck({ DATABASE_URL: address }: DoctorConfig): Check {
  const where = 'Postgres';
  if (address === undefined) return unchecked('postgres-unchecked', where, 'DATABASE_URL');
  const run = async () => judgeMigrations(await pendingMigrations(address));
  return { name: where, run: ifReached('postgres-unreachable', where, 'DATABASE_URL', run) };
}

// A driver's message can hold the address with its password: only its code is told.
const ifReached =
  (code: FindingCode, where: string, setting: string, look: () => Promise<Finding[]>) =>
  async (): Promise<Finding[]> => {
    try {
      return await look();
    } catch (error) {
      const { code: said, name } = error as { code?: unknown; name?: unknown };
      const remedy = `See that it runs, and that ${setting} leads to it from here.`;
      return [finding(code, where, `It cannot be reached (${String(said ?? name)})`, remedy)];
    }
  };
