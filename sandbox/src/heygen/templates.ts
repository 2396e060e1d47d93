import type { JsonObject } from '../frame/json.ts';

export const VARIABLE_TYPES = ['text', 'image', 'video', 'audio', 'character', 'voice'] as const;
export type VariableType = (typeof VARIABLE_TYPES)[number];

export interface Template {
  id: string;
  name: string;
  createdAt: number;
  /** Width and height, such as 16:9. */
  aspectRatio: string;
  variables: Map<string, VariableType>;
}

/** The templates of the account; `demo-outreach` is there from the start. */
export class Templates {
  readonly all = new Map<string, Template>();

  constructor() {
    this.add('demo-outreach', 'Demo outreach', { first_name: 'text', company: 'text', recent_event: 'text' });
  }

  add(id: string, name: string, variables: Record<string, VariableType>, aspectRatio = '16:9'): Template {
    const template = {
      id,
      name,
      createdAt: Math.floor(Date.now() / 1000),
      aspectRatio,
      variables: new Map(Object.entries(variables)),
    };
    this.all.set(id, template);
    return template;
  }
}

const blank = (name: string, type: VariableType): JsonObject => ({
  name,
  type,
  properties: type === 'text' ? { content: name } : {},
});

export const listedTemplate = (template: Template): JsonObject => ({
  id: template.id,
  name: template.name,
  aspect_ratio: template.aspectRatio,
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
