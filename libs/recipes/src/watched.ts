import type { DueDate, Recipe } from './recipe';

/** A date for which a recipe waits. */
export interface DueOf extends DueDate {
  recipe: string;
}

/** What recipes go by of the records of one type. */
export interface Watched {
  object: string;
  /** The properties whose changes set them off, and those that hold their dates; sorted. */
  properties: string[];
  dues: DueOf[];
}

/** What a tenant's recipes go by of the CRM's records, by type; events of other sources come by themselves. */
export function watchedBy(recipes: readonly Recipe[], tenant: string): Watched[] {
  const own = recipes.filter(
    ({ tenants, trigger }) => trigger.source === undefined && (tenants?.includes(tenant) ?? true),
  );
  return [...Map.groupBy(own, ({ trigger }) => trigger.object)].map(([object, all]) => {
    const dues = all.flatMap(({ id, trigger: { due } }) => (due ? [{ recipe: id, ...due }] : []));
    const named = all.flatMap(({ trigger: { properties } }) => properties ?? []);
    return { object, properties: [...new Set([...named, ...dues.map(({ date }) => date)])].sort(), dues };
  });
}
