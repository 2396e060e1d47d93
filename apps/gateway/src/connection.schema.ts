import { declaredName, type TenantDeclaration } from '#libs/platform';
import { z } from 'zod';
import { distinct, namesItsSecrets, perMinute, secretFields, type SecretDeclaration } from './schemes/rule';

/** Every request is held against every connection of its door: so many, and no more. */
const MOST_CONNECTIONS = 16;

const portalsOfTenant = z.strictObject({ tenant: declaredName(), portals: z.array(z.int().positive()).min(1) });

const filters = {
  accept: z
    .strictObject({ types: z.array(z.string().min(1)).min(1) })
    .optional()
    .describe('Which types of event are taken; others are answered 2xx, counted and dropped'),
  perMinute: perMinute(),
};

const hubspotConnection = z
  .strictObject({
    door: z.literal('hubspot'),
    connection: declaredName().default('default'),
    ...secretFields,
    app: z
      .int()
      .positive()
      .describe('Id of the HubSpot app whose client secret it is; events of others are quarantined'),
    tenants: z.array(portalsOfTenant).min(1).describe('Whose the portals are; events of others are quarantined'),
    signatures: z
      .array(z.enum(['v3', 'v2', 'v1']))
      .min(1)
      .default(['v3'])
      .describe(
        'Versions that are accepted. v2 and v1 have no time: who has seen one request can send it again for ever',
      ),
    ...filters,
  })
  .check(namesItsSecrets);

const heygenConnection = z
  .strictObject({
    door: z.literal('heygen'),
    connection: declaredName().default('default'),
    ...secretFields,
    tenants: z.array(declaredName()).min(1).default(['default']).describe('Whose videos this HeyGen account makes'),
    token: z
      .strictObject(secretFields)
      .check(namesItsSecrets)
      .optional()
      .describe('Token in the address of unsigned callbacks, /webhooks/heygen/<token>: 32 to 100 letters and digits'),
    ...filters,
  })
  .check(namesItsSecrets);

const connection = z.discriminatedUnion('door', [hubspotConnection, heygenConnection]);

const connectionList = z
  .array(connection)
  .min(1)
  .max(MOST_CONNECTIONS)
  .refine((all) => distinct(all.map((one) => `${one.door} ${one.connection}`)), 'names a connection of a door twice')
  .refine(
    (all) => distinct(all.flatMap((one) => (one.door === 'hubspot' ? portalsOf(one) : []))),
    'gives a portal of an app to two tenants',
  );

const portalsOf = ({ app, tenants }: z.infer<typeof hubspotConnection>): string[] =>
  tenants.flatMap(({ portals }) => portals.map((portal) => `${app} ${portal}`));

/** Tenants and their portals alone; the secrets are those of the settings. */
const tenantList = z
  .array(
    portalsOfTenant.extend({
      portals: z.array(z.int().positive()),
      connection: declaredName().default('default'),
      // The services' part of the file, which they check.
      hubspot: z.unknown().optional(),
    }),
  )
  .min(1)
  .refine((all) => distinct(all.map(({ tenant }) => tenant)), 'names a tenant twice')
  .refine((all) => distinct(all.flatMap(({ portals }) => portals)), 'gives a portal to two tenants')
  .refine((all) => new Set(all.map((one) => one.connection)).size <= MOST_CONNECTIONS, 'names too many connections');

interface Filters {
  accept?: { types: string[] };
  perMinute?: number;
}

/** A version of HubSpot's request signatures. */
export type SignatureVersion = 'v3' | 'v2' | 'v1';

/** A HubSpot app; without secrets of its own it has those of the settings, without tenants all is `default`'s. */
export interface HubspotDeclaration extends SecretDeclaration, Filters {
  connection: string;
  app?: number;
  tenants?: { tenant: string; portals: number[] }[];
  signatures: SignatureVersion[];
}

/** A HeyGen account; without secrets of its own it has those of the settings. */
export interface HeygenDeclaration extends SecretDeclaration, Filters {
  connection: string;
  tenants: string[];
  token?: SecretDeclaration;
}

/** The connections of both doors, as they were declared. */
export interface ConnectionDeclarations {
  hubspot: HubspotDeclaration[];
  heygen: HeygenDeclaration[];
}

/** What the file declares for the gateway. */
export interface TenantsFile extends ConnectionDeclarations {
  /** Tenants whose app is installed through the gateway. */
  installable: TenantDeclaration[];
}

/** What holds where no file declares anything. */
export const noDeclarations: ConnectionDeclarations = withDefaults({ hubspot: [], heygen: [] });

/** Reads a list of connections, or one of tenants and their portals; tenants beside connections are the services'. */
export function readConnections(list: unknown): z.ZodSafeParseResult<ConnectionDeclarations> {
  const isOfConnections = Array.isArray(list) && list.some((one) => has(one, 'door'));
  return isOfConnections
    ? connectionList.transform(byDoor).safeParse(list.filter((one) => has(one, 'door') || !has(one, 'hubspot')))
    : tenantList.transform(fromTenants).safeParse(list);
}

const has = (one: unknown, key: string): boolean => typeof one === 'object' && one !== null && Object.hasOwn(one, key);

const byDoor = (all: z.infer<typeof connectionList>): ConnectionDeclarations =>
  withDefaults({
    hubspot: all.filter((one) => one.door === 'hubspot'),
    heygen: all.filter((one) => one.door === 'heygen'),
  });

function fromTenants(all: z.infer<typeof tenantList>): ConnectionDeclarations {
  const hubspot = [...Map.groupBy(all, (one) => one.connection)].map(([name, tenants]) => ({
    connection: name,
    tenants: tenants.map(({ tenant, portals }) => ({ tenant, portals })),
    signatures: ['v3' as const],
  }));
  return withDefaults({ hubspot, heygen: [] });
}

/** A door that nobody declared has one connection, by the settings: for all tenants that there are. */
function withDefaults({ hubspot, heygen }: ConnectionDeclarations): ConnectionDeclarations {
  const tenants = new Set(hubspot.flatMap((one) => one.tenants ?? []).map(({ tenant }) => tenant));
  return {
    hubspot: hubspot.length > 0 ? hubspot : [{ connection: 'default', signatures: ['v3'] }],
    heygen:
      heygen.length > 0 ? heygen : [{ connection: 'default', tenants: tenants.size > 0 ? [...tenants] : ['default'] }],
  };
}

/** The JSON Schema of the connections file, for editors and checks before a roll-out. */
export const connectionsJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain connections',
  ...z.toJSONSchema(connectionList, { target: 'draft-7', io: 'input' }),
});
