import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes');

const tenantList = z
  .array(z.strictObject({ tenant: name, portals: z.array(z.int().positive()), connection: name.default('default') }))
  .min(1)
  .refine((all) => distinct(all.map((t) => t.tenant)), 'names a tenant twice')
  .refine((all) => distinct(all.flatMap((t) => t.portals)), 'gives a portal to two tenants');

const distinct = (values: unknown[]): boolean => new Set(values).size === values.length;

/** Whose an input is, and by which door it came. */
export interface Owner {
  tenant: string;
  connection: string;
}

/** Tells the tenant of a portal; without a declaration everything belongs to the tenant `default`. */
export class Tenants {
  private readonly byPortal = new Map<number, Owner>();
  private readonly first: Owner;
  private readonly declared: boolean;

  constructor(list: z.infer<typeof tenantList> = []) {
    for (const { tenant, connection, portals } of list) {
      for (const portal of portals) this.byPortal.set(portal, { tenant, connection });
    }
    this.declared = list.length > 0;
    this.first = list[0] ?? { tenant: 'default', connection: 'default' };
  }

  /** The owner of a portal's input; undefined where tenants are declared and none has the portal. */
  ownerOf(portalId: number | undefined): Owner | undefined {
    return portalId === undefined || !this.declared ? this.first : this.byPortal.get(portalId);
  }

  /** Under whom input is kept that nobody owns: no declared tenant may be shown another's data. */
  get nobody(): Owner {
    return this.declared ? { tenant: 'unknown', connection: this.first.connection } : this.first;
  }
}

/** A setting that names a YAML file with the list of tenants; what is wrong with the file is a fault of the setting. */
export const tenantsFile = () =>
  z.string().transform((path, context) => {
    try {
      const read = tenantList.safeParse(parse(readFileSync(path, 'utf8')));
      if (read.success) return new Tenants(read.data);
      context.addIssue({ code: 'custom', message: `is no list of tenants: ${z.prettifyError(read.error)}` });
    } catch (error) {
      context.addIssue({ code: 'custom', message: `cannot be read: ${(error as Error).message}` });
    }
    return z.NEVER;
  });
