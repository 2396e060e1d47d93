import { isObject, objectOf, type JsonObject } from '../frame/json.ts';
import { invalid } from './errors.ts';

const REFUSED = [
  ...['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'default'],
  ...['patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'unevaluatedProperties'],
  ...['uniqueItems', 'contains', 'minContains', 'maxContains', 'unevaluatedItems', 'minLength', 'maxLength'],
];
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];
const MOST_LEVELS = 10;
const MOST_PROPERTIES = 5000;

interface Walk {
  name: string;
  param: string;
  properties: number;
}

const shownPlace = (place: string[]): string => `(${place.map((part) => `'${part}'`).join(', ')})`;

/** Throws the vendor's 400 unless the schema keeps to the strict subset. */
export function checkStrict(name: string, schema: unknown, param: string): JsonObject {
  const walk: Walk = { name, param, properties: 0 };
  if (!isObject(schema)) throw fault(walk, 'the schema must be an object.');
  if (schema['anyOf'] !== undefined) throw fault(walk, "the root must be an object and not 'anyOf'.");
  if (schema['type'] !== 'object')
    throw fault(walk, `schema must be a JSON Schema of 'type: "object"', got 'type: "${String(schema['type'])}"'.`);
  visit(walk, schema, [], 1);
  for (const key of ['$defs', 'definitions'])
    for (const [defined, part] of Object.entries(objectOf(schema[key]))) visit(walk, part, [key, defined], 1);
  return schema;
}

function fault({ name, param }: Walk, message: string): Error {
  return invalid(`Invalid schema for response_format '${name}': ${message}`, param);
}

function visit(walk: Walk, schema: unknown, place: string[], level: number): void {
  if (!isObject(schema)) throw fault(walk, `In context=${shownPlace(place)}, a schema must be an object.`);
  const at = `In context=${shownPlace(place)}`;
  const refused = REFUSED.find((key) => schema[key] !== undefined);
  if (refused !== undefined) throw fault(walk, `${at}, '${refused}' is not permitted.`);
  if (level > MOST_LEVELS) throw fault(walk, `${level} levels of nesting exceeds limit of ${MOST_LEVELS}.`);
  const format = schema['format'];
  if (format !== undefined && !FORMATS.includes(String(format)))
    throw fault(walk, `${at}, '${String(format)}' is not a valid format.`);
  const keyed = ['type', 'anyOf', '$ref', 'enum', 'const'].some((key) => schema[key] !== undefined);
  if (!keyed) throw fault(walk, `${at}, schema must have a 'type' key.`);
  const types = [schema['type']].flat();
  if (types.includes('object')) visitObject(walk, schema, place, level, at);
  if (types.includes('array')) {
    if (schema['items'] === undefined) throw fault(walk, `${at}, array schema missing items.`);
    visit(walk, schema['items'], [...place, 'items'], level + 1);
  }
  if (Array.isArray(schema['anyOf']))
    for (const [index, part] of schema['anyOf'].entries()) visit(walk, part, [...place, 'anyOf', String(index)], level);
}

function visitObject(walk: Walk, schema: JsonObject, place: string[], level: number, at: string): void {
  if (schema['additionalProperties'] !== false)
    throw fault(walk, `${at}, 'additionalProperties' is required to be supplied and to be false.`);
  const names = Object.keys(objectOf(schema['properties']));
  const required: unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  const missing = names.find((name) => !required.includes(name));
  if (missing !== undefined)
    throw fault(
      walk,
      `${at}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`,
    );
  const extra = required.find((name) => !names.includes(String(name)));
  if (extra !== undefined) throw fault(walk, `${at}, 'required' names '${String(extra)}', which is not a property.`);
  walk.properties += names.length;
  if (walk.properties > MOST_PROPERTIES) throw fault(walk, `more than ${MOST_PROPERTIES} properties.`);
  for (const [name, part] of Object.entries(objectOf(schema['properties'])))
    visit(walk, part, [...place, 'properties', name], level + 1);
}
