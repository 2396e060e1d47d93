import type { Answer } from '#libs/contracts';
import { type ObjectSchema, owners, type Pipeline, pipelines, properties, type Property, schemas } from './portal';
import type { Sdk } from './sdk';

type Entries = Record<string, string>;

/** The types of HubSpot's own whose records move through pipelines; those of a portal's own may. */
const PIPELINED = ['deal', 'ticket'];
const isOwnType = (type: string): boolean => type.startsWith('2-');

/**
 * What a part of a portal consists of, by name: the types that were defined there with their properties (`types`), its
 * owners by their ids alone (`owners`), or the properties, pipelines and stages of a type of records.
 */
export function shape(sdk: Sdk, part: string, signal: AbortSignal): Promise<Answer<Entries>> {
  switch (part) {
    case 'types':
      return schemas(sdk, signal).then((answer) => mapped(answer, typesIn));
    case 'owners':
      return owners(sdk, signal).then((answer) =>
        mapped(answer, (all) => entriesOf(all, ({ id }) => [`owner ${id}`, 'active'])),
      );
    default:
      return shapeOfType(sdk, part, signal);
  }
}

async function shapeOfType(sdk: Sdk, type: string, signal: AbortSignal): Promise<Answer<Entries>> {
  const own = mapped(await properties(sdk, type, signal), propertiesIn);
  if (own.outcome !== 'done' || !(PIPELINED.includes(type) || isOwnType(type))) return own;
  const lanes = mapped(await pipelines(sdk, type, signal), stagesIn);
  return mapped(lanes, (stages) => ({ ...own.value, ...stages }));
}

const mapped = <From, To>(answer: Answer<From>, to: (value: From) => To): Answer<To> =>
  answer.outcome === 'done' ? { ...answer, value: to(answer.value) } : answer;

const entriesOf = <T>(all: readonly T[], entry: (one: T) => readonly [string, string]): Entries =>
  Object.fromEntries(all.map(entry));

const propertiesIn = (all: readonly Property[], of = ''): Entries =>
  entriesOf(all, (property) => [`property ${of}${property.name}`, typeOf(property)]);

const typeOf = ({ type, fieldType, modificationMetadata }: Property): string =>
  `${type} (${fieldType})${modificationMetadata?.readOnlyValue ? ', read-only' : ''}`;

const typesIn = (all: readonly ObjectSchema[]): Entries =>
  Object.assign(
    {},
    ...all.map(({ objectTypeId = '', name, properties: own }) => ({
      [`type ${objectTypeId}`]: name,
      ...propertiesIn(own, `${objectTypeId}.`),
    })),
  ) as Entries;

const stagesIn = (all: readonly Pipeline[]): Entries =>
  entriesOf(
    all.flatMap(({ id, label, stages }) => [
      [`pipeline ${id}`, label] as const,
      ...stages.map((stage) => [`stage ${id}/${stage.id}`, stage.label] as const),
    ]),
    (entry) => entry,
  );
