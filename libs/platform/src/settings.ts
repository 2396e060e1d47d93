import { z } from 'zod';

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Accepts a TCP port, 0 to 65535 (0: the system chooses one); gives a number. */
export const port = () =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number')
    .transform(Number)
    .refine((n) => n <= 65_535, 'must be at most 65535');

/** Accepts an absolute URL of the given schemes (http and https unless told otherwise); gives it without a trailing slash. */
export const url = (...schemes: string[]) => {
  const allowed = schemes.length > 0 ? schemes : ['http', 'https'];
  return z
    .string()
    .refine(
      (text) => URL.canParse(text) && allowed.includes(new URL(text).protocol.slice(0, -1)),
      `must be an absolute ${allowed.join(' or ')} URL`,
    )
    .transform((text) => text.replace(/\/+$/, ''));
};

/** Accepts a comma-separated list with at least one entry; gives the trimmed entries. */
export const list = () =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean),
    )
    .refine((entries) => entries.length > 0, 'must name at least one entry, separated by commas');

/** Accepts any text and marks it as secret: neither messages nor generated documents ever show it. */
export const secret = () => z.string().min(1).meta({ secret: true });

/** Accepts `250ms`, `30s`, `5m`, `24h` or `7d`; gives milliseconds. */
export const duration = () =>
  z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'must look like 250ms, 30s, 5m, 24h or 7d')
    .transform((text) => parseInt(text, 10) * (units[text.replace(/^\d+/, '')] ?? 1));

/** Accepts `true` or `false`. */
export const flag = () => z.enum(['true', 'false']).transform((text) => text === 'true');

/** Accepts a whole number from 1 on; gives a number. */
export const count = () =>
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be a whole number from 1 on')
    .transform(Number);

/** Accepts an amount in US dollars, such as `25` or `0.05`, to a millionth; gives a number. */
export const dollars = () =>
  z
    .string()
    .regex(/^\d{1,7}(\.\d{1,6})?$/, 'must be an amount in US dollars, such as 25 or 0.05')
    .transform(Number);

/** Accepts the IANA name of a time zone, such as `Europe/Berlin`. */
export const timeZone = () =>
  z.string().refine((name) => {
    try {
      return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
    } catch {
      return false;
    }
  }, 'must be the name of a time zone, such as Europe/Berlin');

/** The settings that every app has; spread into its own schema. */
export const appSettings = {
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 in a container'),
  PORT: port().default(3000).describe('Port to listen on; 0 lets the system choose'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe level that is logged'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url()
    .optional()
    .describe('OTLP/HTTP endpoint for traces, without /v1/traces; without it none are sent'),
  METRICS_PORT: port()
    .optional()
    .describe('Port on HOST at which /metrics is served for Prometheus; without it nowhere'),
  BODY_BUDGET_MIB: count()
    .prefault('12')
    .describe('Most that requests in hand may hold, in MiB; beyond it the answer is 503 before a body is read'),
  MAX_CONNECTIONS: count().prefault('512').describe('Most open connections; beyond it only health probes are answered'),
  REQUEST_LIMIT: duration()
    .prefault('30s')
    .describe('Longest time in which a request must have arrived whole; its headers in a third of it'),
  SHUTDOWN_LIMIT: duration()
    .prefault('10s')
    .describe('Longest time between the signal to stop and the end of the process'),
};

/** The settings of every app that meets the log; spread into its own schema. */
export const logSettings = {
  KAFKA_BROKERS: list().describe('Brokers to begin with, host:port, separated by commas'),
  TOPIC_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{0,100}$/, 'may hold letters, digits, dot, dash and underscore')
    .default('')
    .describe('Stands before every topic and consumer group, so that installations can share brokers'),
};

/** The settings of every app that works from the log and the store. */
export const workerSettings = {
  ...appSettings,
  ...logSettings,
  DATABASE_URL: url('postgres', 'postgresql').meta({ secret: true }).describe('The event store, always the primary'),
  DECIDE_LIMIT: duration()
    .prefault('10s')
    .describe('Longest time that one decision may take: a process that hangs longer ends itself'),
  INBOX_DAYS: count()
    .prefault('14')
    .describe(
      'Days that an input is known as decided; at least as long as the topics keep records. The same everywhere',
    ),
  RECEIPT_DAYS: count()
    .prefault('90')
    .describe('Days that the receipts of effects are kept; at least INBOX_DAYS. The same everywhere'),
};

/** The settings of an app that goes by recipes. */
export const recipeSettings = {
  RECIPES_DIR: z
    .string()
    .optional()
    .describe('Folder whose recipes are taken as they are; without it those that are live in RECIPES_ENVIRONMENT'),
  RECIPES_ENVIRONMENT: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lowercase words joined by hyphens')
    .default('default')
    .describe('Whose published recipes are taken, where RECIPES_DIR is not set; `refrain recipes` publishes them'),
  ASKS_DIR: z
    .string()
    .optional()
    .describe('Folder of the asks that the recipes of RECIPES_DIR use; `asks` beside it unless said'),
  TABLES_DIR: z
    .string()
    .optional()
    .describe('Folder of the reference tables that recipes look into: <name>.csv and <name>.table.yaml'),
  RECIPES_TOKEN_KEY: z
    .string()
    .min(16, 'must have 16 characters at least')
    .meta({ secret: true })
    .optional()
    .describe(
      'Secret of token() in recipes, 16 characters at least; the same for all services, and for good: another makes other tokens',
    ),
};
