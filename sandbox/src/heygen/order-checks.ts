import { isIP } from 'node:net';
import { isObject, objectOf, textOf, type JsonObject } from '../frame/json.ts';
import { invalid } from './errors.ts';
import type { Template, VariableType } from './templates.ts';

const MOST_SCRIPT = 5000;
const NEEDED: Record<VariableType, string[]> = {
  text: ['content'],
  image: ['url', 'asset_id'],
  video: ['url', 'asset_id'],
  audio: ['url', 'asset_id'],
  character: ['character_id'],
  voice: ['voice_id'],
};
const TAKEN: Record<VariableType, string[]> = {
  text: ['content'],
  image: ['url', 'asset_id', 'fit'],
  video: ['url', 'asset_id', 'play_style'],
  audio: ['url', 'asset_id'],
  character: ['character_id', 'type'],
  voice: ['voice_id', 'locale'],
};
const WORDS: Record<string, string[]> = {
  play_style: ['fit_to_scene', 'freeze', 'loop', 'full_video'],
  type: ['avatar', 'talking_photo'],
};

/** Of public addresses the vendor loads what is shown; one of its own network it would not reach. */
function checkUrl(value: string, param: string): void {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const isPublic = host.includes('.') && isIP(host) === 0 && !host.endsWith('.local') && !host.endsWith('.internal');
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || !isPublic)
    throw invalid('The URL is not publicly accessible', param);
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
  for (const [key, value] of Object.entries(properties)) {
    const at = `${param}.properties.${key}`;
    if (!TAKEN[type].includes(key)) throw invalid(`${type} has no property ${key}`, at);
    if (typeof value !== 'string') throw invalid(`${key} must be a string`, at);
    if (key === 'url') checkUrl(value, at);
    if (WORDS[key] !== undefined && !WORDS[key].includes(value))
      throw invalid(`${key} must be one of ${WORDS[key].join(', ')}`, at);
  }
  if (type === 'text' && (textOf(properties['content'])?.length ?? 0) > MOST_SCRIPT)
    throw invalid(`Variable ${name} is longer than ${MOST_SCRIPT} characters`, `${param}.properties.content`);
}

/** Throws the vendor's 400 that names the first variable which is missing, unknown, of the wrong type or wrongly filled. */
export function checkVariables(template: Template, given: unknown): JsonObject {
  if (!isObject(given)) throw invalid('variables must be an object', 'variables');
  for (const [name, type] of template.variables) {
    if (given[name] === undefined) throw invalid(`Variable ${name} is missing`, `variables.${name}`);
    checkVariable(name, type, given[name]);
  }
  for (const name of Object.keys(given))
    if (!template.variables.has(name)) throw invalid(`Template has no variable ${name}`, `variables.${name}`);
  const script = Object.values(given).reduce<number>(
    (sum, one) => sum + (textOf(objectOf(objectOf(one)['properties'])['content'])?.length ?? 0),
    0,
  );
  if (script > MOST_SCRIPT) throw invalid(`The script is longer than ${MOST_SCRIPT} characters`, 'variables');
  return given;
}

/** Throws the vendor's 400 that names an option of the video which it does not take. */
export function checkOptions(template: Template, body: JsonObject): void {
  const { caption, subtitles, dimension, folder_id } = body;
  if (caption !== undefined && typeof caption !== 'boolean') throw invalid('caption must be a boolean', 'caption');
  if (folder_id !== undefined && typeof folder_id !== 'string')
    throw invalid('folder_id must be a string', 'folder_id');
  if (subtitles !== undefined && textOf(objectOf(subtitles)['preset_name']) === undefined)
    throw invalid('subtitles needs preset_name', 'subtitles.preset_name');
  if (dimension === undefined) return;
  const { width, height } = objectOf(dimension);
  for (const [side, value] of Object.entries({ width, height }))
    if (!Number.isInteger(value) || Number(value) < 128 || Number(value) > 4096 || Number(value) % 2 !== 0)
      throw invalid(`${side} must be an even number of 128 to 4096`, `dimension.${side}`);
  const [wide = 16, high = 9] = template.aspectRatio.split(':').map(Number);
  if (Math.abs((Number(width) * high) / (Number(height) * wide) - 1) > 0.01)
    throw invalid(`dimension must have the template's aspect ratio ${template.aspectRatio}`, 'dimension');
}
