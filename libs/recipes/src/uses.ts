import type { ActionForm } from './action';
import type { AskStep } from './ask';
import { VIDEO } from './loop-guard';
import { type Recipe, stepsOf } from './recipe';
import { knownDimension } from './replacement';
import { plain, type Text } from './text';
import { pipelined, type WriteStep } from './write';

/** What kind of value a step writes, where its recipe tells. */
export type ValueKind = 'text' | 'number' | 'boolean' | 'list' | 'time';

/** What a recipe has to do with a property of the CRM. */
export interface PropertyUse {
  object: string;
  property: string;
  recipe: string;
  /** It waits for its changes, reads it, writes it, or finds records by it. */
  how: 'waits' | 'reads' | 'writes' | 'finds';
  /** The values that it waits for, or those that alone it can write; any where absent. */
  values?: readonly string[];
  kind?: ValueKind;
}

/** A stage or pipeline that a recipe names, of records of a type: by its id, or a stage also by its name. */
export interface StageUse {
  object: string;
  recipe: string;
  of: 'stage' | 'pipeline';
  named: string;
  by: 'id' | 'name or id';
}

/** A template that a recipe orders videos from, with the variables that it fills, by their types. */
export interface TemplateUse {
  template: string;
  recipe: string;
  variables: Readonly<Record<string, string>>;
  /** In pixels, where it is known beforehand. */
  dimension?: { width: number; height: number };
  /** Whether it has captions burnt in. */
  subtitled: boolean;
}

/** All that a tenant's recipes take for granted of the CRM and the vendors. */
export interface Uses {
  properties: PropertyUse[];
  stages: StageUse[];
  templates: TemplateUse[];
  models: { model: string; recipe: string }[];
}

/** The recipes that a tenant's records set off. */
export const recipesOf = (recipes: readonly Recipe[], tenant: string): Recipe[] =>
  recipes.filter(({ tenants }) => tenants?.includes(tenant) ?? true);

/** What a tenant's recipes use. Pure. */
export function usesOf(recipes: readonly Recipe[], tenant: string): Uses {
  const own = recipesOf(recipes, tenant);
  return {
    properties: own.flatMap(propertiesOf),
    stages: own.flatMap(stagesOf),
    templates: own.flatMap(templatesOf),
    models: own.flatMap((recipe) => stepsOf(recipe, 'ask').map(({ model }) => ({ model, recipe: recipe.id }))),
  };
}

/** The templates that a recipe orders from. Pure. */
export const templatesOf = (recipe: Recipe): TemplateUse[] =>
  stepsOf(recipe, 'video').map(({ template, variables, replacements, options }) => {
    const dimension = knownDimension(options);
    return {
      template,
      recipe: recipe.id,
      variables: Object.fromEntries([
        ...Object.keys(variables).map((name) => [name, 'text']),
        ...Object.entries(replacements).map(([name, { type }]) => [name, type]),
      ]) as Record<string, string>,
      ...(dimension ? { dimension } : {}),
      subtitled: 'subtitles' in options,
    };
  });

function propertiesOf(recipe: Recipe): PropertyUse[] {
  const { id, trigger, steps } = recipe;
  const about = { object: trigger.object, recipe: id };
  const awaited = trigger.due ? [trigger.due.date] : (trigger.properties ?? []);
  const reads = steps.flatMap((step) => (step.kind === 'video' ? step.properties : step.reads));
  return [
    ...awaited.map((property) => ({
      ...about,
      property,
      how: 'waits' as const,
      ...(trigger.becomes ? { values: trigger.becomes } : {}),
    })),
    ...[...new Set(reads)].map((property) => ({ ...about, property, how: 'reads' as const })),
    ...(stepsOf(recipe, 'video').length > 0 ? VIDEO.map((property) => ({ ...about, ...ofVideo(property) })) : []),
    ...stepsOf(recipe, 'write').flatMap((step) => writtenBy(recipe, step)),
  ];
}

const STATES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED'];

const ofVideo = (property: string) => ({
  property,
  how: 'writes' as const,
  ...(property === 'heygen_render_status' ? { values: STATES } : { kind: 'text' as const }),
});

function writtenBy(recipe: Recipe, { properties, stage, actions }: WriteStep): PropertyUse[] {
  const { id, trigger } = recipe;
  const written = (object: string, texts: Record<string, Text>) =>
    Object.entries(texts).map(([property, text]) => ({
      object,
      property,
      recipe: id,
      how: 'writes' as const,
      ...valueOf(recipe, text),
    }));
  return [
    ...written(trigger.object, properties),
    ...(stage ? [{ object: trigger.object, property: stage.property, recipe: id, how: 'writes' as const }] : []),
    ...upserts(actions).flatMap((upsert) => [
      ...written(upsert.object, upsert.properties),
      ...[upsert, ...upsert.associate].map(({ object, by: property }) => ({
        object,
        property,
        recipe: id,
        how: 'finds' as const,
      })),
    ]),
  ];
}

/** The upserts among actions. */
export const upserts = (actions: readonly ActionForm[]): Extract<ActionForm, { kind: 'upsert' }>[] =>
  actions.filter((action): action is Extract<ActionForm, { kind: 'upsert' }> => action.kind === 'upsert');

/** What a text is known to come to: one value, one of several, or at least a kind of value. */
function valueOf(recipe: Recipe, text: Text): Pick<PropertyUse, 'values' | 'kind'> {
  // A null, and an empty text, set nothing that a type could refuse.
  if (text.literal !== undefined)
    return text.literal === null || text.literal === '' ? {} : { values: [plain(text.literal)] };
  const source = (text as Partial<{ source: string }>).source?.trim();
  if (source === 'time') return { kind: 'time' };
  const [, name, field = ''] = /^steps\.(\w+)\.(\w+)$/.exec(source ?? '') ?? [];
  const step = recipe.steps.find((one) => one.name === name);
  if (step?.kind === 'ask') return answered(step, field);
  return step?.kind === 'video' ? { kind: 'text' } : {};
}

const kinds: Readonly<Record<string, ValueKind>> = {
  integer: 'number',
  number: 'number',
  string: 'text',
  boolean: 'boolean',
  array: 'list',
  object: 'list',
};

function answered({ answer }: AskStep, field: string): Pick<PropertyUse, 'values' | 'kind'> {
  const { type, enum: only } = (answer.properties[field] ?? {}) as { type?: unknown; enum?: unknown };
  if (Array.isArray(only)) return { values: only.filter((one) => one !== null).map(String) };
  const named = (Array.isArray(type) ? type : [type]).filter((one) => one !== 'null');
  const kind = named.length === 1 ? kinds[String(named[0])] : undefined;
  return kind === undefined ? {} : { kind };
}

function stagesOf(recipe: Recipe): StageUse[] {
  const { id, trigger } = recipe;
  const places = pipelined[trigger.object];
  if (!places) return [];
  const about = { object: trigger.object, recipe: id };
  const wished = stepsOf(recipe, 'write').flatMap(({ stage }) =>
    typeof stage?.text.literal === 'string'
      ? [{ ...about, of: 'stage' as const, named: stage.text.literal, by: 'name or id' as const }]
      : [],
  );
  const byId = propertiesOf(recipe).flatMap(({ object, property, values = [] }) => {
    const of = property === places.stage ? 'stage' : property === places.pipeline ? 'pipeline' : undefined;
    if (of === undefined || object !== trigger.object) return [];
    return values.map((named) => ({ ...about, of, named, by: 'id' as const }) satisfies StageUse);
  });
  return [...wished, ...byId];
}
