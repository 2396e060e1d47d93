import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { seededRandom, type Random } from '../src/frame/seeded-random.ts';
import type { JsonObject } from '../src/frame/json.ts';
import { generated } from '../src/openai/generate.ts';
import { signalsOf } from '../src/openai/signals.ts';
import { checkStrict } from '../src/openai/strict-schema.ts';

const NAMES =
  'lead_score sentiment summary budget timeline company is_decision_maker pain_points seats role currency confidence next_steps year x'.split(
    ' ',
  );
const TEXTS = [
  '',
  'Budget is $50k, 250 seats, demo next week. Company: Example Ltd. We love it!',
  'No budget. Not happy, very slow and expensive; maybe in Q3 2027, 1.5 million EUR though.',
  '<p>Hello</p>\n\n0 -5 $0 €1,234.56',
];

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;

function anySchema(random: Random, depth: number): JsonObject {
  const nullable = (type: string): unknown => (random.below(2) === 0 ? type : [type, 'null']);
  const least = random.below(20) - 10;
  const range = random.below(2) === 0 ? {} : { minimum: least, maximum: least + random.below(50) };
  const leaves: (() => JsonObject)[] = [
    () => ({ type: nullable('string') }),
    () => ({ type: 'string', format: pick(random, ['date', 'date-time', 'email', 'uuid']) }),
    () => ({ type: nullable('number'), ...range }),
    () => ({ type: nullable('integer'), ...range }),
    () => ({ type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 2 + random.below(9) }),
    () => ({ type: nullable('boolean') }),
    () => ({ type: 'string', enum: ['low', 'medium', 'high'] }),
    () => ({ enum: ['a', 'b', null] }),
    () => ({ const: 'fixed' }),
  ];
  if (depth === 0 || random.below(3) > 0) return pick(random, leaves)();
  const inner = anySchema(random, depth - 1);
  return pick(random, [
    () => ({ type: 'array', items: inner, minItems: random.below(3), maxItems: 2 + random.below(3) }),
    () => ({ anyOf: [inner, { type: 'null' }] }),
    () => anyObject(random, depth - 1),
  ])();
}

function anyObject(random: Random, depth: number): JsonObject {
  const names = [...new Set(Array.from({ length: 1 + random.below(5) }, () => pick(random, NAMES)))];
  const properties = Object.fromEntries(names.map((name) => [name, anySchema(random, depth)]));
  return { type: 'object', properties, required: names, additionalProperties: false };
}

describe('generated answers', () => {
  it('conform to whatever strict schema was asked for', () => {
    const random = seededRandom(99);
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (let round = 0; round < 500; round++) {
      const schema = checkStrict('any', anyObject(random, 3), 'response_format');
      const signals = signalsOf(pick(random, TEXTS));
      const value = generated(schema, signals);
      assert.ok(ajv.validate(schema, value), `${JSON.stringify({ schema, value, errors: ajv.errors }, null, 1)}`);
      assert.deepEqual(generated(schema, signals), value);
    }
  });

  it('end, even for a schema that contains itself', () => {
    const properties = {
      title: { type: 'string' },
      next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
      children: { type: 'array', items: { $ref: '#' } },
    };
    const schema = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
    const value = generated(
      checkStrict('tree', schema, 'response_format'),
      signalsOf('The children need a next title.'),
    );
    assert.ok(new Ajv({ strict: false }).validate(schema, value));
  });
});
