import { groupOf, standardProperties } from './standard-properties.ts';
import { instant, standardTypeNames } from './object-types.ts';
import type { Property, PropertyGroup, PropertyInput } from './property.ts';

/** Holds which properties and groups each object type has. */
export class PropertyDefinitions {
  readonly #properties = new Map<string, Map<string, Property>>();
  readonly #groups = new Map<string, Map<string, PropertyGroup>>();

  constructor() {
    for (const type of standardTypeNames()) this.addStandard(type, groupOf(type));
  }

  /** Gives a type the group and the properties that the vendor defines for it. */
  addStandard(type: string, group: string): void {
    this.addGroup(type, { name: group, label: 'Information' });
    for (const property of standardProperties(type)) this.add(type, property);
  }

  properties(type: string): Map<string, Property> {
    return mapIn(this.#properties, type);
  }

  groups(type: string): Map<string, PropertyGroup> {
    return mapIn(this.#groups, type);
  }

  get(type: string, name: string): Property | undefined {
    const property = this.#properties.get(type)?.get(name);
    return property?.archived ? undefined : property;
  }

  add(type: string, input: PropertyInput): Property {
    const now = instant(Date.now());
    const property: Property = {
      description: '',
      options: [],
      displayOrder: -1,
      hasUniqueValue: false,
      hidden: false,
      formField: false,
      externalOptions: false,
      readOnly: false,
      hubspotDefined: false,
      ...input,
      createdAt: now,
      updatedAt: now,
      archived: false,
    };
    this.properties(type).set(property.name, property);
    return property;
  }

  addGroup(type: string, input: { name: string; label: string; displayOrder?: number }): PropertyGroup {
    const group = { displayOrder: -1, ...input, archived: false };
    this.groups(type).set(group.name, group);
    return group;
  }
}

function mapIn<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const found = maps.get(key);
  if (found) return found;
  const made = new Map<string, T>();
  maps.set(key, made);
  return made;
}

const isCalculated = (fieldType: string): boolean => fieldType.startsWith('calculation_');

/** Shapes a property as the API shows it. */
export function shownProperty({ readOnly, ...property }: Property): Record<string, unknown> {
  return {
    ...property,
    calculated: isCalculated(property.fieldType),
    dataSensitivity: 'non_sensitive',
    modificationMetadata: {
      archivable: !property.hubspotDefined,
      readOnlyDefinition: property.hubspotDefined,
      readOnlyValue: readOnly || isCalculated(property.fieldType),
    },
  };
}
