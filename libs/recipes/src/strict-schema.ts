import type { AskFault } from './ask-check';

/** What OpenAI's strict structured output does not take (its guide to structured outputs, November 2026). */
const REFUSED = [
  ...['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'default'],
  ...['patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'unevaluatedProperties'],
  ...['uniqueItems', 'contains', 'minContains', 'maxContains', 'unevaluatedItems', 'minLength', 'maxLength'],
];
const MOST_LEVELS = 10;

/** Where a JSON Schema leaves the strict subset, in which alone a model's answer is sure to fit. Pure. */
export function strictFaults(schema: unknown, path: PropertyKey[] = [], level = 1): AskFault[] {
  if (!isObject(schema)) return [{ path, message: 'must be a JSON Schema, which is a mapping' }];
  if (level > MOST_LEVELS) return [{ path, message: `nests deeper than ${String(MOST_LEVELS)} levels` }];
  const { anyOf, items } = schema;
  const types = [schema['type']].flat();
  const within = (one: unknown, ...at: PropertyKey[]) => strictFaults(one, [...path, ...at], level + 1);
  return [
    ...REFUSED.filter((word) => word in schema).map((word) => ({
      path: [...path, word],
      message: 'is no part of the strict subset: say it in the instruction, or leave it out',
    })),
    ...(['type', 'anyOf', '$ref', 'enum', 'const'].some((word) => word in schema)
      ? []
      : [{ path, message: 'says no type' }]),
    ...(types.includes('object') ? objectFaults(schema, path, level) : []),
    ...(types.includes('array') && items === undefined
      ? [{ path, message: 'is a list and says nothing of its items' }]
      : []),
    ...(items === undefined ? [] : within(items, 'items')),
    ...(Array.isArray(anyOf) ? anyOf.flatMap((one, i) => within(one, 'anyOf', i)) : []),
  ];
}

function objectFaults(schema: Record<string, unknown>, path: PropertyKey[], level: number): AskFault[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required: unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  const names = Object.keys(properties);
  const optional = names.filter((name) => !required.includes(name));
  const unknown = required.filter((name) => !names.includes(String(name)));
  return [
    ...(schema['additionalProperties'] === false ? [] : [{ path, message: 'must say additionalProperties: false' }]),
    ...optional.map((name) => ({
      path: [...path, 'properties', name],
      message: 'must stand in required; what may be absent allows null instead',
    })),
    ...unknown.map((name) => ({ path: [...path, 'required'], message: `names ${String(name)}, which is no property` })),
    ...names.flatMap((name) => strictFaults(properties[name], [...path, 'properties', name], level + 1)),
  ];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
