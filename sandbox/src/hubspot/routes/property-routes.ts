import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listOf, numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import type { Crm } from '../crm/crm.ts';
import { instant, objectType } from '../crm/object-types.ts';
import type { Property, PropertyInput, PropertyOption } from '../crm/property.ts';
import { shownProperty } from '../crm/property-definitions.ts';
import { conflict, invalid, missingProperty } from '../errors.ts';
import { inputsOf, sendBatch } from './batch-routes.ts';

const PREFIXES = ['/crm/v3/properties', '/crm/properties/2026-03', '/crm/properties/2026-09'];
const TYPES = ['bool', 'date', 'datetime', 'enumeration', 'number', 'phone_number', 'string'];
const FIELD_TYPES = [
  ...['booleancheckbox', 'calculation_equation', 'checkbox', 'date', 'file', 'html', 'number', 'phonenumber'],
  ...['radio', 'select', 'text', 'textarea'],
];

const typeName = (request: FastifyRequest): string =>
  objectType(textOf(objectOf(request.params)['objectType']) ?? '').name;
const nameOf = (request: FastifyRequest): string => textOf(objectOf(request.params)['name']) ?? '';

function optionsOf(input: unknown): PropertyOption[] {
  return listOf(input).map((item, index) => {
    const option = objectOf(item);
    const value = textOf(option['value']) ?? '';
    return {
      label: textOf(option['label']) ?? value,
      value,
      displayOrder: numberOf(option['displayOrder']) ?? index,
      hidden: option['hidden'] === true,
      description: textOf(option['description']) ?? '',
    };
  });
}

function checkedDefinition(crm: Crm, type: string, body: JsonObject): PropertyInput {
  const lacking = ['name', 'label', 'type', 'fieldType', 'groupName'].filter((key) => !textOf(body[key]));
  if (lacking.length > 0)
    throw invalid(`Invalid input JSON: some required fields were not set: [${lacking.join(', ')}]`);
  const name = textOf(body['name']) ?? '';
  if (!/^[a-z][a-z0-9_]{0,98}$/.test(name))
    throw invalid('Names for properties should be lowercase and have less than 100 characters');
  const [valueType, fieldType, groupName] = [
    String(body['type']),
    String(body['fieldType']),
    String(body['groupName']),
  ];
  if (!TYPES.includes(valueType)) throw invalid(`Invalid property type: ${valueType}`);
  if (!FIELD_TYPES.includes(fieldType)) throw invalid(`Invalid property field type: ${fieldType}`);
  const options = optionsOf(body['options']);
  if (valueType === 'enumeration' && options.length === 0 && body['externalOptions'] !== true)
    throw invalid('Enumeration properties need at least one option.');
  if (!crm.definitions.groups(type).has(groupName)) throw invalid(`Property group ${groupName} does not exist`);
  const existing = crm.definitions.get(type, name);
  if (existing) throw conflict(`A property named '${name}' already exists.`);
  const uniques = [...crm.definitions.properties(type).values()].filter(
    (one) => one.hasUniqueValue && !one.hubspotDefined,
  );
  if (body['hasUniqueValue'] === true && uniques.length >= 10)
    throw invalid('At most 10 unique properties are allowed.');
  return {
    name,
    label: String(body['label']),
    type: valueType,
    fieldType,
    groupName,
    options,
    description: textOf(body['description']) ?? '',
    displayOrder: numberOf(body['displayOrder']) ?? -1,
    hasUniqueValue: body['hasUniqueValue'] === true,
    hidden: body['hidden'] === true,
    formField: body['formField'] === true,
    externalOptions: body['externalOptions'] === true,
  };
}

function changedDefinition(crm: Crm, type: string, name: string, body: JsonObject): Property {
  const property = crm.definitions.get(type, name);
  if (property === undefined) throw missingProperty(name);
  if (property.hubspotDefined && (body['type'] !== undefined || body['fieldType'] !== undefined))
    throw invalid(`Property ${name} is defined by the platform and cannot be changed.`);
  for (const key of ['label', 'description', 'groupName', 'type', 'fieldType'] as const) {
    const text = textOf(body[key]);
    if (text !== undefined) property[key] = text;
  }
  if (body['options'] !== undefined) property.options = optionsOf(body['options']);
  if (typeof body['hidden'] === 'boolean') property.hidden = body['hidden'];
  if (typeof body['formField'] === 'boolean') property.formField = body['formField'];
  property.updatedAt = instant(Date.now());
  return property;
}

function archive(crm: Crm, type: string, name: string): void {
  const property = crm.definitions.get(type, name);
  if (property?.hubspotDefined) throw invalid(`Property ${name} is defined by the platform and cannot be archived.`);
  if (property) property.archived = true;
}

export function addPropertyRoutes(app: FastifyInstance, crm: Crm): void {
  for (const prefix of PREFIXES) {
    const root = `${prefix}/:objectType`;
    addGroupRoutes(app, crm, root);
    app.get(root, async (request) => {
      const archived = objectOf(request.query)['archived'] === 'true';
      const all = [...crm.definitions.properties(typeName(request)).values()];
      return { results: all.filter((property) => property.archived === archived).map(shownProperty) };
    });
    app.post(root, async (request, reply) => {
      const type = typeName(request);
      const input = checkedDefinition(crm, type, objectOf(request.body));
      return reply.code(201).send(shownProperty(crm.definitions.add(type, input)));
    });
    app.get(`${root}/:name`, async (request) => {
      const property = crm.definitions.get(typeName(request), nameOf(request));
      if (property === undefined) throw missingProperty(nameOf(request));
      return shownProperty(property);
    });
    app.patch(`${root}/:name`, async (request) =>
      shownProperty(changedDefinition(crm, typeName(request), nameOf(request), objectOf(request.body))),
    );
    app.delete(`${root}/:name`, async (request, reply) => {
      archive(crm, typeName(request), nameOf(request));
      return reply.code(204).send();
    });
    app.post(`${root}/batch/create`, async (request, reply) => {
      const type = typeName(request);
      const inputs = inputsOf(request).map((input) => checkedDefinition(crm, type, input));
      return sendBatch(
        reply,
        201,
        inputs.map((input) => shownProperty(crm.definitions.add(type, input))),
        [],
      );
    });
    app.post(`${root}/batch/read`, async (request, reply) => {
      const names = inputsOf(request).map((input) => textOf(input['name']) ?? '');
      const found = names.map((name) => crm.definitions.get(typeName(request), name));
      const unknown = names.filter((_, index) => found[index] === undefined);
      const errors = unknown.map((name) => ({
        status: 'error',
        category: 'OBJECT_NOT_FOUND',
        message: `Property "${name}" does not exist`,
        context: { propertyName: [name] },
      }));
      return sendBatch(reply, 200, found.filter((one) => one !== undefined).map(shownProperty), errors);
    });
    app.post(`${root}/batch/archive`, async (request, reply) => {
      for (const input of inputsOf(request)) archive(crm, typeName(request), textOf(input['name']) ?? '');
      return reply.code(204).send();
    });
  }
}

function addGroupRoutes(app: FastifyInstance, crm: Crm, root: string): void {
  const group = (request: FastifyRequest) => {
    const found = crm.definitions.groups(typeName(request)).get(nameOf(request));
    if (found === undefined) throw missingProperty(nameOf(request));
    return found;
  };
  app.get(`${root}/groups`, async (request) => ({
    results: [...crm.definitions.groups(typeName(request)).values()],
  }));
  app.post(`${root}/groups`, async (request, reply) => {
    const body = objectOf(request.body);
    const [name, label] = [textOf(body['name']), textOf(body['label'])];
    if (!name || !label) throw invalid('Invalid input JSON: name and label are required');
    if (crm.definitions.groups(typeName(request)).has(name))
      throw conflict(`A property group named '${name}' already exists.`);
    return reply.code(201).send(crm.definitions.addGroup(typeName(request), { name, label }));
  });
  app.get(`${root}/groups/:name`, async (request) => group(request));
  app.patch(`${root}/groups/:name`, async (request) =>
    Object.assign(group(request), { label: textOf(objectOf(request.body)['label']) ?? group(request).label }),
  );
  app.delete(`${root}/groups/:name`, async (request, reply) => {
    crm.definitions.groups(typeName(request)).delete(nameOf(request));
    return reply.code(204).send();
  });
}
