import { readFileSync } from 'node:fs';
import { ConfigError, type Environment, type Logger, readInstallable } from '#libs/platform';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  readConnections,
  type ConnectionDeclarations,
  type TenantsFile,
  type HeygenDeclaration,
  type HubspotDeclaration,
} from './connection.schema';
import { MinuteCap } from './minute-cap';
import type { Secrets } from './schemes/inbound';
import type { SecretDeclaration } from './schemes/rule';
import { NoSecret, SecretPair, type KeyFormat } from './secret-pair';

/** Whose an input is, and by which connection it came. */
export interface Owner {
  tenant: string;
  connection: string;
}

/** A connection that can receive: what was declared, with its secrets as they are now. */
export type Connection<Declared> = Declared & {
  secrets: () => Secrets;
  cap: MinuteCap | undefined;
};

/** A HubSpot app, and whose its portals are. */
export type HubspotConnection = Connection<HubspotDeclaration>;

/** A HeyGen account; the tokens of its unsigned callbacks, where it has any. */
export type HeygenConnection = Connection<HeygenDeclaration> & { tokens: (() => Secrets) | undefined };

/** The connections of both doors. */
export interface Connections {
  hubspot: readonly HubspotConnection[];
  heygen: readonly HeygenConnection[];
}

/** The settings that hold the secret of a connection without one of its own. */
const settings = { hubspot: 'HUBSPOT_CLIENT_SECRET', heygen: 'HEYGEN_WEBHOOK_SECRET' } as const;

/** The setting that names the file of HeyGen's next secret. */
const NEXT_OF_HEYGEN = 'HEYGEN_WEBHOOK_NEXT_SECRET_FILE';

/** Whether a door's secret must be in the settings. */
export const needsSetting = (declared: readonly SecretDeclaration[]): boolean => declared.some(namesNoSecret);

const namesNoSecret = ({ secretFile, secretEnv }: SecretDeclaration): boolean =>
  secretFile === undefined && secretEnv === undefined;

/** Opens all connections or none: throws one {@link ConfigError} with every secret that cannot be read. */
export function openConnections(
  declared: ConnectionDeclarations,
  { env, logger }: { env: Environment; logger: Logger },
): Connections {
  const faults: string[] = [];
  const secretsOf = (from: SecretDeclaration, format: KeyFormat, where: string): (() => Secrets) => {
    try {
      const pair = new SecretPair(from, format, env, logger);
      return () => pair.read(performance.now());
    } catch (error) {
      if (!(error instanceof NoSecret)) throw error;
      faults.push(`TENANTS_FILE: connection ${where}: ${error.message}`);
      return () => ({ current: Buffer.alloc(0) });
    }
  };
  const open = <D extends HubspotDeclaration | HeygenDeclaration>(door: keyof Connections, one: D): Connection<D> => {
    const from = namesNoSecret(one) ? secretOfSetting(door, env) : one;
    const cap = one.perMinute === undefined ? undefined : new MinuteCap(one.perMinute);
    return { ...one, secrets: secretsOf(from, 'text', nameOf(door, one)), cap };
  };
  const opened: Connections = {
    hubspot: declared.hubspot.map((one) => open('hubspot', one)),
    heygen: declared.heygen.map((one) => ({
      ...open('heygen', one),
      tokens: one.token && secretsOf(one.token, 'token', `${nameOf('heygen', one)}, token`),
    })),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return opened;
}

/** A connection as counters and faults name it: `hubspot/default`. */
export const nameOf = (door: keyof Connections, { connection }: { connection: string }): string =>
  `${door}/${connection}`;

/** A secret of the settings changes without a restart too, where it stands in a file. */
function secretOfSetting(door: keyof Connections, env: Environment): SecretDeclaration {
  const name = settings[door];
  const file = env[`${name}_FILE`];
  const next = door === 'heygen' ? env[NEXT_OF_HEYGEN] : undefined;
  return { ...(file ? { secretFile: file } : { secretEnv: name }), ...(next ? { nextSecretFile: next } : {}) };
}

/** Whether a connection takes events of this type. */
export const takes = ({ accept }: HubspotDeclaration | HeygenDeclaration, type: string): boolean =>
  accept?.types.includes(type) ?? true;

/** A setting that names the file of connections; what is wrong with the file is a fault of the setting. */
export const tenantsFile = () =>
  z.string().transform((path, context): TenantsFile => {
    try {
      // Without pretty errors: they repeat lines of the file.
      const list: unknown = parse(readFileSync(path, 'utf8'), { prettyErrors: false });
      const read = readConnections(list);
      const installable = readInstallable(Array.isArray(list) ? list : []);
      if (read.success && installable.success) return { ...read.data, installable: installable.data };
      const error = read.error ?? installable.error;
      context.addIssue({
        code: 'custom',
        message: `is no list of connections: ${error ? z.prettifyError(error) : ''}`,
      });
    } catch (error) {
      context.addIssue({ code: 'custom', message: `cannot be read: ${(error as Error).message}` });
    }
    return z.NEVER;
  });
