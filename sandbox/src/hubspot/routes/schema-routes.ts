import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listOf, numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import type { Crm } from '../crm/crm.ts';
import { defineType, instant, objectType } from '../crm/object-types.ts';
import { shownProperty } from '../crm/property-definitions.ts';
import { conflict, invalid, missing } from '../errors.ts';

const PREFIXES = ['/crm-object-schemas/v3', '/crm-object-schemas/2026-03', '/crm-object-schemas/2026-09'];
const NEEDED = ['name', 'labels', 'properties', 'requiredProperties', 'associatedObjects'];

interface Schema {
  id: string;
  name: string;
  shown: JsonObject;
  associations: JsonObject[];
}

/** The types of objects that the account has defined itself. */
export function addSchemaRoutes(app: FastifyInstance, crm: Crm): void {
  const schemas: Schema[] = [];
  const shown = ({ id, shown, associations }: Schema): JsonObject => ({
    ...shown,
    associations,
    properties: [...crm.definitions.properties(id).values()].map(shownProperty),
  });
  const find = (request: FastifyRequest): Schema => {
    const asked = textOf(objectOf(request.params)['objectType']) ?? '';
    const found = schemas.find(
      ({ id, name }) => id === asked || name === asked || `p${crm.portalId}_${name}` === asked,
    );
    if (found === undefined) throw missing(asked);
    return found;
  };
  const define = (body: JsonObject): Schema => {
    const lacking = NEEDED.filter((key) => body[key] === undefined);
    if (lacking.length > 0)
      throw invalid(`Invalid input JSON: some required fields were not set: [${lacking.join(', ')}]`);
    const name = textOf(body['name']) ?? '';
    if (schemas.some((one) => one.name === name)) throw conflict(`An object type named '${name}' already exists.`);
    const now = instant(Date.now());
    const fullyQualifiedName = `p${crm.portalId}_${name}`;
    const type = defineType(`2-${143_967_026 + schemas.length}`, fullyQualifiedName);
    crm.definitions.addStandard(type.name, `${name}_information`);
    for (const input of listOf(body['properties']).map(objectOf)) {
      const [property = '', label = ''] = [textOf(input['name']), textOf(input['label'])];
      crm.definitions.add(type.name, {
        name: property,
        label,
        type: textOf(input['type']) ?? 'string',
        fieldType: textOf(input['fieldType']) ?? 'text',
        groupName: textOf(input['groupName']) ?? `${name}_information`,
        displayOrder: numberOf(input['displayOrder']) ?? -1,
        hasUniqueValue: input['hasUniqueValue'] === true,
      });
    }
    const { labels, requiredProperties, searchableProperties = [], primaryDisplayProperty } = body;
    const schema = {
      id: type.id,
      name,
      associations: [],
      shown: {
        ...{ id: type.id.slice(2), objectTypeId: type.id, name, fullyQualifiedName, labels, requiredProperties },
        ...{ searchableProperties, primaryDisplayProperty, secondaryDisplayProperties: [], archived: false },
        ...{ createdAt: now, updatedAt: now },
      },
    };
    schemas.push(schema);
    for (const to of listOf(body['associatedObjects'])) associate(schema, String(to), `${name}_to_${String(to)}`);
    return schema;
  };
  const associate = ({ id, associations }: Schema, to: string, name: string): JsonObject => {
    const made = { id: String(associations.length + 1), fromObjectTypeId: id, toObjectTypeId: objectType(to).id, name };
    associations.push(made);
    return made;
  };
  for (const prefix of PREFIXES) {
    const root = `${prefix}/schemas`;
    app.get(root, async () => ({ results: schemas.map(shown) }));
    app.post(root, async (request, reply) => reply.code(201).send(shown(define(objectOf(request.body)))));
    app.get(`${root}/:objectType`, async (request) => shown(find(request)));
    app.patch(`${root}/:objectType`, async (request) => {
      const schema = find(request);
      const { labels = schema.shown['labels'] } = objectOf(request.body);
      Object.assign(schema.shown, { labels, updatedAt: instant(Date.now()) });
      return shown(schema);
    });
    app.delete(`${root}/:objectType`, async (request, reply) => {
      schemas.splice(schemas.indexOf(find(request)), 1);
      return reply.code(204).send();
    });
    app.post(`${root}/:objectType/associations`, async (request, reply) => {
      const { toObjectTypeId, name } = objectOf(request.body);
      return reply.code(201).send(associate(find(request), textOf(toObjectTypeId) ?? '', textOf(name) ?? ''));
    });
  }
}
