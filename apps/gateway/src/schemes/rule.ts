import { variableName } from '#libs/platform';
import { z } from 'zod';

/** Accepts the name of a header; gives it in lower case, as Node does. */
export const headerName = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header')
    .transform((name) => name.toLowerCase());

/** Whether no value stands there twice. */
export const distinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

/** How many verified requests are let through. */
export const perMinute = () =>
  z.int().min(1).max(100_000).optional().describe('Verified requests in any minute, for each replica');

const path = z.string().min(1);
const variable = variableName();

/** Where the secrets of a scheme stand: never in the declaration itself. */
export const secretFields = {
  secretFile: path.optional().describe('File that holds the secret; read again when it changes'),
  secretEnv: variable.optional().describe('Environment variable that holds the secret'),
  nextSecretFile: path
    .optional()
    .describe('File with the secret that comes next, accepted beside the first; it may be empty or not there'),
  nextSecretEnv: variable.optional().describe('Environment variable with the secret that comes next'),
};

/** The secrets of a scheme as they were declared. */
export type SecretDeclaration = { [Name in keyof typeof secretFields]?: string };

/** Refuses a scheme that names no secret, or one twice. */
export const namesItsSecrets = (check: z.core.ParsePayload<SecretDeclaration>): void => {
  const { secretFile, secretEnv, nextSecretFile, nextSecretEnv } = check.value;
  const fault = (message: string) => check.issues.push({ code: 'custom', message, input: undefined });
  if ((secretFile === undefined) === (secretEnv === undefined)) fault('names either secretFile or secretEnv');
  if (nextSecretFile !== undefined && nextSecretEnv !== undefined) {
    fault('names at most one of nextSecretFile and nextSecretEnv');
  }
};

/** How far a sender's clock may be from ours, in seconds, either way. */
export const toleranceSeconds = (usual: number) =>
  z.int().min(1).max(86_400).default(usual).describe('How far the time may be from ours, either way');
