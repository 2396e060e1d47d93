import type { JsonObject } from '../../frame/json.ts';
import { invalid } from '../errors.ts';
import { instant, type ObjectType } from './object-types.ts';
import type { Owners } from './owners.ts';
import type { Property } from './property.ts';
import type { PropertyDefinitions } from './property-definitions.ts';

interface Problem {
  message: string;
  error: string;
  name: string;
}

type Checked = { value: string } | { message: string; error: string };

function time(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : Date.parse(text);
}

function checkOption(property: Property, text: string): Checked {
  const chosen = property.fieldType === 'checkbox' ? text.split(';').filter((part) => part !== '') : [text];
  const allowed = property.options.map(({ value }) => value);
  const wrong = chosen.find((value) => !allowed.includes(value));
  if (wrong === undefined || property.externalOptions) return { value: text };
  return { message: `${wrong} was not one of the allowed options: [${allowed.join(', ')}]`, error: 'INVALID_OPTION' };
}

function checkValue(property: Property, text: string, owners: Owners): Checked {
  if (text === '') return { value: '' };
  if (property.name === 'email') {
    const email = text.trim().toLowerCase();
    return /^[^\s@,;<>()]+@[^\s@,;<>()]+\.[a-z0-9-]{2,}$/.test(email)
      ? { value: email }
      : { message: `Email address ${text} is invalid`, error: 'INVALID_EMAIL' };
  }
  if (property.name === 'hubspot_owner_id' && !owners.has(text))
    return { message: `The owner with ID ${text} is not valid.`, error: 'INVALID_OWNER_ID' };
  switch (property.type) {
    case 'enumeration':
      return checkOption(property, text);
    case 'bool':
      return /^(true|false)$/i.test(text)
        ? { value: text.toLowerCase() }
        : { message: `${text} was not one of the allowed options: [true, false]`, error: 'INVALID_OPTION' };
    case 'number':
      return Number.isFinite(Number(text)) && text.trim() !== ''
        ? { value: text.trim() }
        : { message: `${text} was not a valid number.`, error: 'INVALID_LONG' };
    case 'datetime':
      return Number.isNaN(time(text))
        ? { message: `${text} was not a valid date.`, error: 'INVALID_DATE' }
        : { value: instant(time(text)) };
    case 'date':
      return Number.isNaN(time(text))
        ? { message: `${text} was not a valid date.`, error: 'INVALID_DATE' }
        : { value: instant(time(text)).slice(0, 10) };
    default:
      return text.length <= 65_536
        ? { value: text }
        : { message: 'The value is longer than 65536 characters.', error: 'PROPERTY_VALUE_TOO_LONG' };
  }
}

function checkOne(property: Property | undefined, name: string, raw: unknown, options: CheckOptions): Checked {
  if (property === undefined) return { message: `Property "${name}" does not exist`, error: 'PROPERTY_DOESNT_EXIST' };
  if (property.readOnly && !options.writeReadOnly)
    return { message: `"${name}" is a read only property; its value cannot be set.`, error: 'READ_ONLY_VALUE' };
  if (typeof raw === 'object' && raw !== null)
    return { message: `The value of "${name}" must be a string.`, error: 'INVALID_VALUE' };
  return checkValue(property, raw === null || raw === undefined ? '' : String(raw), options.owners);
}

export interface CheckOptions {
  portalId: number;
  owners: Owners;
  /** Forms, imports and HubSpot itself may set what API callers may not. */
  writeReadOnly?: boolean;
}

/** Returns the values as they will be stored, or throws the vendor's 400 that names every bad one. */
export function checkedProperties(
  definitions: PropertyDefinitions,
  type: ObjectType,
  input: JsonObject,
  options: CheckOptions,
): Map<string, string> {
  const values = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [given, raw] of Object.entries(input)) {
    const name = given.toLowerCase();
    let property = definitions.get(type.name, name);
    if (property === undefined && type.lenient)
      property = definitions.add(type.name, { name, label: name, type: 'string', fieldType: 'text', groupName: '' });
    const checked = checkOne(property, name, raw, options);
    if ('value' in checked) values.set(name, checked.value);
    else problems.push({ ...checked, name });
  }
  if (problems.length > 0) throw notValid(problems, options.portalId);
  return values;
}

function notValid(problems: Problem[], portalId: number): Error {
  const details = problems.map((problem) => ({
    isValid: false,
    ...problem,
    localizedErrorMessage: problem.message,
    portalId,
  }));
  return invalid(`Property values were not valid: ${JSON.stringify(details)}`, {
    errors: problems.map(({ message, error, name }) => ({ message, code: error, context: { propertyName: [name] } })),
  });
}
