import { z } from 'zod';

export interface JsonSchema {
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  format?: string;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  minimum?: number;
  exclusiveMinimum?: number;
  [other: string]: unknown;
}

/** The schema of what is sent, before anything is transformed, in the draft that AsyncAPI builds on. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const {
    $schema: _draft,
    '~standard': _methods,
    ...rest
  } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return JSON.parse(JSON.stringify(rest), (_key, value: unknown) => withoutNoise(value)) as JsonSchema;
}

// What every reader takes for granted: numbers are safe integers, names are text, times are times.
function withoutNoise(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const schema = { ...value } as JsonSchema & { maximum?: number; propertyNames?: JsonSchema };
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format === 'date-time') delete schema['pattern'];
  if (JSON.stringify(schema.propertyNames) === '{"type":"string"}') delete schema.propertyNames;
  return schema;
}

/** A type as people write it: `text`, `whole number`, `list of text`. */
export function shownType(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(shownType).join(' or ');
  if (schema.type === 'array') return `list of ${shownType(schema.items ?? {})}`;
  if (schema.type === 'object') return shownObject(schema);
  const words: Record<string, string> = {
    string: 'text',
    integer: 'whole number',
    number: 'number',
    boolean: 'true or false',
  };
  if (schema.format === 'date-time') return 'time (RFC 3339)';
  return typeof schema.type === 'string' ? (words[schema.type] ?? schema.type) : 'any value';
}

function shownObject({ properties, additionalProperties }: JsonSchema): string {
  if (properties) {
    const fields = Object.entries(properties).map(([name, field]) => `${name}: ${shownType(field)}`);
    return `{ ${fields.join(', ')} }`;
  }
  return typeof additionalProperties === 'object' ? `map to ${shownType(additionalProperties)}` : 'object';
}
