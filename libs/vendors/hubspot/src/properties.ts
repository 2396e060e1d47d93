import { Client } from '@hubspot/api-client';
import type { HubspotSettings } from './hubspot.client';

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

const OBJECT = 'contacts';

/** Compares a portal's contact properties with what the hub writes; changes nothing. */
export async function lackingProperties(settings: HubspotSettings): Promise<Lacking> {
  const { groupsApi, coreApi } = clientOf(settings).crm.properties;
  const haveGroups = new Set((await groupsApi.getAll(OBJECT)).results.map((group) => group.name));
  const have = new Set((await coreApi.getAll(OBJECT)).results.map((property) => property.name));
  return {
    groups: groups.filter((group) => !haveGroups.has(group.name)),
    properties: wantedProperties.filter((property) => !have.has(property.name)),
  };
}

/** Creates what a portal lacks. Running it again creates nothing. */
export async function createLacking(settings: HubspotSettings, lacking: Lacking): Promise<void> {
  const { groupsApi, coreApi } = clientOf(settings).crm.properties;
  for (const group of lacking.groups) await groupsApi.create(OBJECT, { ...group, displayOrder: -1 });
  for (const property of lacking.properties) {
    await coreApi.create(OBJECT, property as Parameters<typeof coreApi.create>[1]);
  }
}

const clientOf = (settings: HubspotSettings): Client =>
  new Client({ accessToken: settings.accessToken, basePath: settings.baseUrl, numberOfApiCallRetries: 0 });
