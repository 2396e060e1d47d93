import type { Answer } from '#libs/contracts';
import { sorted, typeIdOf } from './answering';
import type { Property } from './portal';
import type { Sdk } from './sdk';

interface Wanted {
  name: string;
  label: string;
  groupName: string;
  type: 'string' | 'number' | 'datetime' | 'enumeration';
  fieldType: 'text' | 'textarea' | 'number' | 'date' | 'select';
  options?: { label: string; value: string; displayOrder: number; hidden: boolean }[];
}

const groups = [
  { name: 'video_automation', label: 'Video automation' },
  { name: 'ai_enrichment', label: 'AI enrichment' },
];

const statuses = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED'];

const video = { groupName: 'video_automation', type: 'string', fieldType: 'text' } as const;
const ai = { groupName: 'ai_enrichment' } as const;

/** What every portal's contacts get, whatever its recipes are; records of other types those of them that recipes write there. */
export const contactProperties: readonly Wanted[] = [
  { ...video, name: 'heygen_video_url', label: 'Video link' },
  {
    ...video,
    name: 'heygen_render_status',
    label: 'Video status',
    type: 'enumeration',
    fieldType: 'select',
    options: statuses.map((value, displayOrder) => ({ label: value, value, displayOrder, hidden: false })),
  },
  { ...video, name: 'heygen_job_id', label: 'Video job' },
  { ...video, name: 'heygen_render_error', label: 'Video error' },
  { ...ai, name: 'lead_score', label: 'Lead score', type: 'number', fieldType: 'number' },
  { ...ai, name: 'ai_sentiment_score', label: 'AI sentiment score', type: 'number', fieldType: 'number' },
  { ...ai, name: 'ai_lead_summary', label: 'AI lead summary', type: 'string', fieldType: 'textarea' },
  { ...ai, name: 'ai_last_processed_timestamp', label: 'AI last processed', type: 'datetime', fieldType: 'date' },
  { ...ai, name: 'ai_budget_estimate', label: 'AI budget estimate', type: 'number', fieldType: 'number' },
  {
    ...ai,
    name: 'ai_qualification_summary',
    label: 'AI qualification summary',
    type: 'string',
    fieldType: 'textarea',
  },
];

/** All properties of ours: beside those of contacts, what only a recipe that writes it needs. */
export const ownProperties: readonly Wanted[] = [
  ...contactProperties,
  { ...ai, name: 'ai_call_summary', label: 'AI call summary', type: 'string', fieldType: 'textarea' },
  { ...ai, name: 'ai_next_steps', label: 'AI next steps', type: 'string', fieldType: 'textarea' },
];

/** What a portal lacks of the groups and properties of a type of records that the hub writes to. */
export interface Lacking {
  object: string;
  groups: { name: string; label: string }[];
  properties: Wanted[];
}

/** A property of one of our names that holds something else; only a person can change that. */
export interface Differing {
  name: string;
  /** What it is by type and field, with the options that it lacks. */
  is: string;
  shouldBe: string;
}

/** What must be done before the hub can write to a portal. */
export interface Preparation extends Lacking {
  differing: Differing[];
}

/** Which of our properties records of a type are to have. */
export interface Wishes {
  object: string;
  names: ReadonlySet<string>;
}

/** Compares a portal's properties of a type with what the hub writes; changes nothing. */
export const preparation = (sdk: Sdk, { object, names }: Wishes, signal: AbortSignal): Promise<Answer<Preparation>> =>
  sorted(signal, async () => {
    const { groupsApi, coreApi } = sdk.crm.properties;
    const type = typeIdOf(object);
    const haveGroups = new Set((await groupsApi.getAll(type)).results.map((group) => group.name));
    const have = new Map((await coreApi.getAll(type)).results.map((property) => [property.name, property]));
    const wanted = ownProperties.filter(({ name }) => names.has(name));
    const used = new Set(wanted.map(({ groupName }) => groupName));
    return {
      object,
      groups: groups.filter(({ name }) => used.has(name) && !haveGroups.has(name)),
      properties: wanted.filter((property) => !have.has(property.name)),
      differing: wanted.flatMap((property) => {
        const found = have.get(property.name);
        return found ? differing(property, found) : [];
      }),
    };
  });

/** Creates what a portal lacks. Running it again creates nothing. */
export const prepare = (sdk: Sdk, lacking: Lacking, signal: AbortSignal): Promise<Answer<void>> =>
  sorted(signal, async () => {
    const { groupsApi, coreApi } = sdk.crm.properties;
    const type = typeIdOf(lacking.object);
    for (const group of lacking.groups) await groupsApi.create(type, { ...group, displayOrder: -1 });
    for (const property of lacking.properties) {
      await coreApi.create(type, property as Parameters<typeof coreApi.create>[1]);
    }
  });

// Another label, group or field is the portal's own business; another type, or no option to write, refuses our values.
function differing(wanted: Wanted, found: Property): Differing[] {
  const known = new Set(found.options.map(({ value }) => value));
  const missing = (wanted.options ?? []).map(({ value }) => value).filter((value) => !known.has(value));
  if (found.type === (wanted.type as string) && missing.length === 0) return [];
  const without = missing.length > 0 ? ` without ${missing.join(', ')}` : '';
  return [{ name: wanted.name, is: `${found.type}${without}`, shouldBe: wanted.type }];
}
