import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lowercase words joined by hyphens');

/** Where the secret stands: never in the declaration itself. */
const secretFields = {
  secretFile: z.string().min(1).optional().describe('File that holds the secret; read again when it changes'),
  secretEnv: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
    .optional()
    .describe('Environment variable that holds the secret'),
};

const namesItsSecret = ({ secretFile, secretEnv }: { secretFile?: string; secretEnv?: string }): boolean =>
  (secretFile === undefined) !== (secretEnv === undefined);
const ONE_SECRET = 'names either secretFile or secretEnv';

// What Node itself says of a connection or of a body.
const ownHeaders = /^(host|connection|content-length|transfer-encoding|upgrade|te|trailer|accept|accept-encoding)$/i;

const auth = z
  .discriminatedUnion('scheme', [
    z.strictObject({ scheme: z.literal('bearer'), ...secretFields }),
    z.strictObject({
      scheme: z.literal('header'),
      header: z
        .string()
        .regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header')
        .refine((header) => !ownHeaders.test(header), 'is a header that proves nothing')
        .describe('The secret is the value of this header'),
      ...secretFields,
    }),
    z.strictObject({
      scheme: z.literal('basic'),
      user: z
        .string()
        .regex(/^[^:]+$/, 'may not hold a colon')
        .describe('The secret is the password'),
      ...secretFields,
    }),
  ])
  .refine(namesItsSecret, ONE_SECRET);

const units: Record<string, number> = { ms: 1, s: 1_000 };
const timeout = z
  .string()
  .regex(/^[1-9]\d{0,5}(ms|s)$/, 'must look like 500ms or 10s')
  .transform((text) => parseInt(text, 10) * (units[text.replace(/^\d+/, '')] ?? 1))
  .refine((ms) => ms >= 100 && ms <= 60_000, 'must be between 100ms and 60s');

const systemSchema = z
  .strictObject({
    system: name.describe('What recipes call it'),
    url: z
      .string()
      .refine((text) => {
        if (!URL.canParse(text)) return false;
        const { protocol, username, password, search, hash } = new URL(text);
        return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
      }, 'must be an address without user, query and fragment')
      .describe('Its address; what recipes ask stands below it'),
    auth: auth.optional(),
    timeout: timeout.prefault('10s').describe('Longest time for an answer'),
    perMinute: z.int().min(1).max(1_000_000).default(60).describe('Calls in any minute, for each tenant'),
    maxBytes: z
      .int()
      .min(1)
      .max(4 * 1_024 * 1_024)
      .default(256 * 1_024)
      .describe('Largest body of an answer'),
    private: z
      .boolean()
      .default(false)
      .describe('It may be in a private network or on this machine, and be asked without TLS'),
  })
  .refine(({ url, private: isPrivate }) => isPrivate || url.startsWith('https:'), {
    path: ['url'],
    message: 'must be https, unless the system is private',
  });

/** The systems file. */
export const systemList = z
  .array(systemSchema)
  .refine((all) => new Set(all.map(({ system }) => system)).size === all.length, 'declares a system twice');

/** A system as it was declared. */
export type SystemDeclaration = z.infer<typeof systemSchema>;

/** The JSON Schema of the systems file, for editors and checks before a roll-out. */
export const systemsJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain systems',
  ...z.toJSONSchema(systemList, { target: 'draft-7', io: 'input' }),
});
