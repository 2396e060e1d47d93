import type { Answer } from '#libs/contracts';
import type { PropertyUse, StageUse, ValueKind } from '#libs/recipes';
import { isByEmail, type Pipeline, type Preparation, type Property } from '#libs/vendors/hubspot';
import { isOurs } from '../hubspot-properties';
import { type Finding, finding, type FindingCode, listed } from './finding';

/** A property as a portal defines it. */
export type Definition = Pick<
  Property,
  'name' | 'type' | 'options' | 'calculated' | 'externalOptions' | 'hasUniqueValue' | 'modificationMetadata'
>;

/** The properties of a type of records: those that are there, and the names of those that were archived. */
export interface Defined {
  present: readonly Definition[];
  archived: readonly string[];
}

export interface PropertyFacts {
  tenant: string;
  uses: readonly PropertyUse[];
  /** By type of record. */
  defined: ReadonlyMap<string, Answer<Defined>>;
}

/** Judges the properties that recipes use by those of the portal. Pure. */
export function judgeProperties({ tenant, uses, defined }: PropertyFacts): Finding[] {
  return [...Map.groupBy(uses, ({ object }) => object)].flatMap(([object, all]) => {
    const answer = defined.get(object);
    if (answer?.outcome !== 'done') return unread(tenant, object, answer);
    return [...Map.groupBy(all, ({ property }) => property)].flatMap(([property, ofIt]) =>
      judgeProperty({ tenant, object, property, uses: ofIt }, answer.value),
    );
  });
}

function unread(tenant: string, object: string, answer: Exclude<Answer, { outcome: 'done' }> | undefined): Finding[] {
  const why = answer ? `${answer.code}: ${answer.message}` : 'they were not read';
  const remedy = `Give the app the scope for reading the properties of ${object} records, then ask again.`;
  return [finding('properties-unread', placeOf(tenant, object), `Its properties cannot be looked at: ${why}`, remedy)];
}

interface Used {
  tenant: string;
  object: string;
  property: string;
  uses: readonly PropertyUse[];
}

function judgeProperty(used: Used, { present, archived }: Defined): Finding[] {
  const { tenant, object, property, uses } = used;
  const where = placeOf(tenant, object, property);
  const definition = present.find(({ name }) => name === property);
  if (!definition) return [absent(used, where, archived.includes(property))];
  const of = (how: PropertyUse['how']) => uses.filter((use) => use.how === how);
  return [
    ...of('writes')
      .slice(0, 1)
      .flatMap(() => judgeWritable(definition, of('writes'), where)),
    ...judgeAwaited(definition, of('waits'), where),
    ...judgeUnique(definition, object, of('finds'), where),
  ];
}

const userOf = (uses: readonly PropertyUse[]): string => listed(uses.map(({ recipe }) => recipe));

function absent({ tenant, object, property, uses }: Used, where: string, wasArchived: boolean): Finding {
  const onlyRead = uses.every(({ how }) => how === 'reads');
  if (wasArchived) {
    const what = `It was archived, and ${userOf(uses)} go by it`;
    return finding(
      'property-archived',
      where,
      what,
      `Restore it in HubSpot (Settings > Properties > Archived), or change the recipes.`,
    );
  }
  if (onlyRead) {
    const what = `There is no such property, and ${userOf(uses)} read it: its value is always null there`;
    return finding('property-unknown', where, what, 'Correct its name in the recipes, or make it in HubSpot.');
  }
  const isMade = isOurs(property) && (object === 'contact' || uses.some(({ how }) => how === 'writes'));
  const remedy = isMade
    ? `Run \`refrain init hubspot --tenant ${tenant} --yes\`, which makes it.`
    : `Make it in HubSpot (Settings > Properties of ${object} records), or correct its name in the recipes.`;
  const doing = listed(uses.filter(({ how }) => how !== 'reads').map(({ how }) => verbs[how]));
  return finding('property-missing', where, `There is no such property, and ${userOf(uses)} ${doing} it`, remedy);
}

const verbs: Record<PropertyUse['how'], string> = {
  waits: 'wait for',
  reads: 'read',
  writes: 'write',
  finds: 'find records by',
};

function judgeWritable(definition: Definition, writes: readonly PropertyUse[], where: string): Finding[] {
  const { calculated, modificationMetadata } = definition;
  const change = 'Let the recipes write another property.';
  if (calculated) {
    return [finding('property-calculated', where, `HubSpot calculates it, and ${userOf(writes)} write it`, change)];
  }
  if (modificationMetadata?.readOnlyValue) {
    return [finding('property-read-only', where, `Nobody can write it, and ${userOf(writes)} do`, change)];
  }
  const wrong = writes.filter((use) => use.values === undefined && use.kind && !takesKind(definition, use.kind));
  const values = (use: PropertyUse) => (use.values ?? []).filter((value) => !takesValue(definition, value));
  const options = isListed(definition);
  return [
    ...wrong.map(({ recipe, kind }) =>
      finding('property-type', where, `It is of type ${definition.type}, and ${recipe} writes a ${kind} to it`, RETYPE),
    ),
    ...writes.flatMap((use) =>
      values(use).length === 0
        ? []
        : options
          ? [
              finding(
                'option-missing',
                where,
                `It has no option ${listed(values(use))}, which ${use.recipe} writes`,
                'Add the option in HubSpot, or write one that is there.',
              ),
            ]
          : [
              finding(
                'property-type',
                where,
                `It is of type ${definition.type}, and ${use.recipe} writes ${listed(values(use).map((value) => JSON.stringify(value)))} to it`,
                RETYPE,
              ),
            ],
    ),
  ];
}

const RETYPE = 'Give the property the type in HubSpot that the recipes write, or write what its type takes.';

const refusedKinds: Readonly<Record<string, readonly ValueKind[]>> = {
  number: ['text', 'boolean', 'list', 'time'],
  bool: ['number', 'list', 'time'],
  date: ['boolean', 'list'],
  datetime: ['boolean', 'list'],
  enumeration: ['list', 'time'],
};

const takesKind = ({ type }: Definition, kind: ValueKind): boolean => !refusedKinds[type]?.includes(kind);

const isListed = ({ type, externalOptions, options }: Definition): boolean =>
  type === 'enumeration' && !externalOptions && options.length > 0;

function takesValue(definition: Definition, value: string): boolean {
  switch (definition.type) {
    case 'number':
      return value.trim() !== '' && Number.isFinite(Number(value));
    case 'bool':
      return /^(true|false)$/.test(value);
    case 'date':
    case 'datetime':
      return /^\d+$/.test(value) || !Number.isNaN(Date.parse(value));
    case 'enumeration':
      // Several options stand with semicolons between.
      return (
        !isListed(definition) ||
        value.split(';').every((one) => definition.options.some((option) => option.value === one))
      );
    default:
      return true;
  }
}

/** HubSpot tells of no change of these. */
const NEVER_TOLD = ['hs_lastmodifieddate', 'num_unique_conversion_events'];

function judgeAwaited(definition: Definition, waits: readonly PropertyUse[], where: string): Finding[] {
  if (waits.length === 0) return [];
  const remedy = 'Wait for a property that it follows from, or let a schedule find it (`refrain reconcile`).';
  const unknown = waits.flatMap(({ values = [] }) =>
    values.filter((value) => isListed(definition) && !takesValue(definition, value)),
  );
  return [
    ...(NEVER_TOLD.includes(definition.name)
      ? [
          finding(
            'property-never-told',
            where,
            `HubSpot sends no webhook of its changes, and ${userOf(waits)} wait for them`,
            remedy,
          ),
        ]
      : definition.calculated
        ? [
            finding(
              'property-seldom-told',
              where,
              `HubSpot calculates it, and need not send its changes; ${userOf(waits)} wait for them`,
              remedy,
            ),
          ]
        : []),
    ...(unknown.length > 0
      ? [
          finding(
            'option-unknown',
            where,
            `It has no option ${listed(unknown)}, and ${userOf(waits)} wait for it: that never comes`,
            'Wait for the option’s internal value, as HubSpot shows it.',
          ),
        ]
      : []),
  ];
}

function judgeUnique(definition: Definition, object: string, finds: readonly PropertyUse[], where: string): Finding[] {
  if (finds.length === 0 || definition.hasUniqueValue || isByEmail({ upsert: { object, by: definition.name } }))
    return [];
  const what = `Its values are not unique, and ${userOf(finds)} find records by it`;
  return [finding('property-not-unique', where, what, 'Make a property of unique values in HubSpot, and go by that.')];
}

/** Judges what `refrain init hubspot` makes, as far as it is not judged as something that recipes use. Pure. */
export function judgePreparation(tenant: string, prepared: Preparation, uses: readonly PropertyUse[]): Finding[] {
  const isWritten = (name: string) =>
    uses.some(({ object, property, how }) => object === prepared.object && property === name && how === 'writes');
  return [
    ...prepared.properties
      .filter(({ name }) => !isWritten(name))
      .map(({ name }) =>
        finding(
          'property-unprepared',
          placeOf(tenant, prepared.object, name),
          'It is not there, and no live recipe writes it yet',
          `Run \`refrain init hubspot --tenant ${tenant} --yes\`.`,
        ),
      ),
    ...prepared.differing.map(({ name, is, shouldBe }) =>
      finding(
        'property-drift',
        placeOf(tenant, prepared.object, name),
        `It is ${is}, and the hub writes it as ${shouldBe}`,
        'Change it in HubSpot, or rename it there and run `refrain init hubspot`.',
      ),
    ),
  ];
}

export interface StageFacts {
  tenant: string;
  stages: readonly StageUse[];
  /** By type of record. */
  pipelines: ReadonlyMap<string, readonly Pick<Pipeline, 'id' | 'label' | 'stages'>[]>;
}

/** Judges the stages and pipelines that recipes name by those of the portal. Pure. */
export function judgeStages({ tenant, stages, pipelines }: StageFacts): Finding[] {
  return stages.flatMap(({ object, recipe, of, named, by }) => {
    const all = pipelines.get(object);
    if (!all) return [];
    const fits = (one: { id: string; label: string }) =>
      one.id === named || (by === 'name or id' && one.label === named);
    const having = all.filter((pipeline) => (of === 'pipeline' ? fits(pipeline) : pipeline.stages.some(fits)));
    const without = all.filter((pipeline) => !having.includes(pipeline));
    const where = `${placeOf(tenant, object)}, recipe ${recipe}`;
    if (having.length === 0) {
      const known = of === 'pipeline' ? all : all.flatMap((pipeline) => pipeline.stages);
      const shown = known.map(({ id, label }) => (id === label ? id : `${label} (${id})`));
      const code: FindingCode = of === 'pipeline' ? 'pipeline-missing' : 'stage-missing';
      return [
        finding(
          code,
          where,
          `No ${of} ${JSON.stringify(named)} is there`,
          `Name one of ${listed(shown) || 'those that you make'}, or make it in HubSpot.`,
        ),
      ];
    }
    if (of === 'pipeline' || by === 'id' || without.length === 0) return [];
    const what = `The stage ${JSON.stringify(named)} is not in every pipeline: records in ${listed(without.map(({ label }) => label))} are rejected`;
    return [
      finding(
        'stage-partial',
        where,
        what,
        'Make the stage there, or let the step’s `when` leave those pipelines out.',
      ),
    ];
  });
}

const placeOf = (tenant: string, object: string, property?: string): string =>
  `HubSpot account ${tenant}: ${property === undefined ? object : `${object}.${property}`}`;
