import { answerStructures, heygenApiVersions, languageApis, SUMMARY_MODEL } from '#libs/contracts';
import {
  count,
  duration,
  flag,
  hubspotSettings,
  logSettings,
  needsAccount,
  recipeSettings,
  secret,
  url,
  videoStoreSettings,
} from '#libs/platform';
import { z } from 'zod';

/** Settings of the commands, each read only by the commands that need them. */
export const storeConfig = z.object({
  DATABASE_URL: url('postgres', 'postgresql').meta({ secret: true }).describe('The event store, always the primary'),
});

export const logConfig = z.object({
  ...logSettings,
  TOPIC_REPLICATION: z.coerce.number().int().min(1).optional().describe("Replicas of a topic; the broker's default"),
});

/** Which recipes are live. */
export const recipesConfig = z.object({
  RECIPES_DIR: recipeSettings.RECIPES_DIR,
  RECIPES_ENVIRONMENT: recipeSettings.RECIPES_ENVIRONMENT,
  ASKS_DIR: recipeSettings.ASKS_DIR,
});

/** Under which address vendors call the gateway. */
export const publicConfig = z.object({
  PUBLIC_URL: url()
    .optional()
    .describe('Address under which vendors call the gateway; HubSpot signs it, with the path'),
});

/** How accounts have timelines written, which decides what an app needs; no account is asked for it. */
export const timelineConfig = z.object({
  TENANTS_FILE: hubspotSettings.TENANTS_FILE,
  HUBSPOT_TIMELINE: hubspotSettings.HUBSPOT_TIMELINE,
});

/** The key that an app's webhooks are managed by. */
export const developerConfig = z.object({
  HUBSPOT_DEVELOPER_KEY: secret()
    .optional()
    .describe(
      'Developer API key of a legacy public app: its webhooks are listed and managed by it; no other kind of app has one',
    ),
});

/** HeyGen, and who we are there. */
export const heygenConfig = z.object({
  HEYGEN_BASE_URL: url().default('https://api.heygen.com').describe('HeyGen, where it is not api.heygen.com'),
  HEYGEN_API: z.enum(heygenApiVersions).default('v3').describe('Version of its template API'),
  HEYGEN_API_KEY: secret().describe("HeyGen's API key"),
});

/** Whose templates recipes order from, where it can be asked. */
export const videoConfig = heygenConfig.extend({
  HEYGEN_API_KEY: heygenConfig.shape.HEYGEN_API_KEY.optional(),
});

/** What else is looked at, where it is set. */
export const doctorConfig = publicConfig.extend({
  KAFKA_BROKERS: logSettings.KAFKA_BROKERS.optional(),
  TOPIC_PREFIX: logSettings.TOPIC_PREFIX,
  DATABASE_URL: storeConfig.shape.DATABASE_URL.optional(),
  HUBSPOT_CLIENT_SECRET: secret()
    .optional()
    .describe("Client secret of the HubSpot app: the gateway's check of signatures is tried by it"),
  HUBSPOT_DEVELOPER_KEY: developerConfig.shape.HUBSPOT_DEVELOPER_KEY,
  ...videoConfig.shape,
  OPENAI_BASE_URL: url().optional().describe('OpenAI or a compatible service, with its /v1'),
  OPENAI_API_KEY: secret().optional().describe("OpenAI's API key"),
  OPENAI_SUMMARY_MODEL: z
    .string()
    .min(1)
    .default(SUMMARY_MODEL)
    .describe('Id of the model that sums up long texts: it is looked at beside those of the recipes'),
  ...videoStoreSettings,
});

/** The language model, as enrichment-service asks it. */
export const modelConfig = z.object({
  OPENAI_BASE_URL: doctorConfig.shape.OPENAI_BASE_URL,
  OPENAI_API_KEY: secret().describe("OpenAI's API key"),
  OPENAI_API: z.enum(languageApis).default('chat').describe('Which API is asked: Chat Completions, or Responses'),
  OPENAI_STRUCTURE: z.enum(answerStructures).default('schema').describe('What holds an answer to its schema'),
  OPENAI_COMPATIBLE: flag().prefault('false').describe('true for a service that knows the older words only'),
  OPENAI_MOST_TOKENS: count().prefault('4000').describe('Where an answer is cut, in tokens'),
  OPENAI_DEADLINE: duration().prefault('60s').describe('Longest time for an answer'),
});

export const crmConfig = z.object(hubspotSettings).refine(...needsAccount);
