import { isObject, objectOf, textOf, type JsonObject } from '../frame/json.ts';
import { invalid } from './errors.ts';

export const VARIABLE_TYPES = ['text', 'image', 'video', 'audio', 'character', 'voice'] as const;
export type VariableType = (typeof VARIABLE_TYPES)[number];

export interface Template {
  id: string;
  name: string;
  createdAt: number;
  variables: Map<string, VariableType>;
}

const NEEDED: Record<VariableType, string[]> = {
  text: ['content'],
  image: ['url', 'asset_id'],
  video: ['url', 'asset_id'],
  audio: ['url', 'asset_id'],
  character: ['character_id'],
  voice: ['voice_id'],
};

/** The templates of the account; `demo-outreach` is there from the start. */
export class Templates {
  readonly all = new Map<string, Template>();

  constructor() {
    this.add('demo-outreach', 'Demo outreach', { first_name: 'text', company: 'text', recent_event: 'text' });
  }

  add(id: string, name: string, variables: Record<string, VariableType>): Template {
    const template = {
      id,
      name,
      createdAt: Math.floor(Date.now() / 1000),
      variables: new Map(Object.entries(variables)),
    };
    this.all.set(id, template);
    return template;
  }
}

function checkVariable(name: string, type: VariableType, given: unknown): void {
  const param = `variables.${name}`;
  if (!isObject(given)) throw invalid(`Variable ${name} must be an object with name, type and properties`, param);
  if (given['name'] !== undefined && given['name'] !== name)
    throw invalid(`Variable ${name} is named ${String(given['name'])} inside`, `${param}.name`);
  if (given['type'] !== type) throw invalid(`Variable ${name} must be of type ${type}`, `${param}.type`);
  const properties = objectOf(given['properties']);
  const values = NEEDED[type].map((key) => properties[key]);
  if (!values.some((value) => typeof value === 'string' && value !== ''))
    throw invalid(`Variable ${name} needs properties.${NEEDED[type].join(' or ')}`, `${param}.properties`);
  if (type === 'text' && (textOf(properties['content'])?.length ?? 0) > 5000)
    throw invalid(`Variable ${name} is longer than 5000 characters`, `${param}.properties.content`);
}

/** Throws the vendor's 400 that names the first variable which is missing, unknown or of the wrong type. */
export function checkVariables(template: Template, given: unknown): JsonObject {
  if (!isObject(given)) throw invalid('variables must be an object', 'variables');
  for (const [name, type] of template.variables) {
    if (given[name] === undefined) throw invalid(`Variable ${name} is missing`, `variables.${name}`);
    checkVariable(name, type, given[name]);
  }
  for (const name of Object.keys(given))
    if (!template.variables.has(name)) throw invalid(`Template has no variable ${name}`, `variables.${name}`);
  return given;
}

const blank = (name: string, type: VariableType): JsonObject => ({
  name,
  type,
  properties: type === 'text' ? { content: name } : {},
});

export const listedTemplate = (template: Template): JsonObject => ({
  id: template.id,
  name: template.name,
  aspect_ratio: '16:9',
  thumbnail_url: null,
  created_at: template.createdAt,
  updated_at: template.createdAt,
});

export function detailedTemplate(template: Template): JsonObject {
  const variables = [...template.variables];
  return {
    ...listedTemplate(template),
    scene_ids: ['scene-1'],
    scenes: [
      {
        scene_id: 'scene-1',
        script: `Hello ${variables.map(([name]) => `{{${name}}}`).join(', ')}`,
        variables: variables.map(([name, type]) => ({ name, variable_type: type })),
      },
    ],
    variables: Object.fromEntries(variables.map(([name, type]) => [name, blank(name, type)])),
  };
}
