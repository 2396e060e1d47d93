import type { Answer } from '#libs/contracts';
import { sorted } from './answering';
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

/** The contact properties that the hub writes. */
export const wantedProperties: readonly Wanted[] = [
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

/** What a portal lacks of the groups and properties that the hub writes to. */
export interface Lacking {
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

const OBJECT = 'contacts';

/** Compares a portal's contact properties with what the hub writes; changes nothing. */
export const preparation = (sdk: Sdk, signal: AbortSignal): Promise<Answer<Preparation>> =>
  sorted(signal, async () => {
    const { groupsApi, coreApi } = sdk.crm.properties;
    const haveGroups = new Set((await groupsApi.getAll(OBJECT)).results.map((group) => group.name));
    const have = new Map((await coreApi.getAll(OBJECT)).results.map((property) => [property.name, property]));
    return {
      groups: groups.filter((group) => !haveGroups.has(group.name)),
      properties: wantedProperties.filter((property) => !have.has(property.name)),
      differing: wantedProperties.flatMap((wanted) => {
        const found = have.get(wanted.name);
        return found ? differing(wanted, found) : [];
      }),
    };
  });

/** Creates what a portal lacks. Running it again creates nothing. */
export const prepare = (sdk: Sdk, lacking: Lacking, signal: AbortSignal): Promise<Answer<void>> =>
  sorted(signal, async () => {
    const { groupsApi, coreApi } = sdk.crm.properties;
    for (const group of lacking.groups) await groupsApi.create(OBJECT, { ...group, displayOrder: -1 });
    for (const property of lacking.properties) {
      await coreApi.create(OBJECT, property as Parameters<typeof coreApi.create>[1]);
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
