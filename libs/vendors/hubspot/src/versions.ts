/** A version of HubSpot's API: dated ones live for 18 months, numbered ones end in September 2027 (v4 in March). */
interface Family {
  version: string;
  /** Where the family stands in that version. */
  root: string;
  /** Where the SDK believes that it stands; absent where the SDK does not know it. */
  sdk?: string;
}

const DATED = '2026-09';

/**
 * Every family of calls that the adapter makes, with its version: the only place that names one.
 *
 * The timeline's and the journal's are of March: for them no later one is in the SDKs. The last is numbered because HubSpot has no dated path for it:
 * only there do static tokens and service keys, which have no client secret, tell their app (
 * developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview).
 */
export const families = {
  objects: { version: DATED, root: `/crm/objects/${DATED}`, sdk: '/crm/v3/objects' },
  // The guides have this path, the specification of 2026-09 lacks it; 2026-03 has it in both.
  recordAssociations: { version: DATED, root: `/crm/objects/${DATED}`, sdk: '/crm/v4/objects' },
  associations: { version: DATED, root: `/crm/associations/${DATED}`, sdk: '/crm/v4/associations' },
  properties: { version: DATED, root: `/crm/properties/${DATED}`, sdk: '/crm/v3/properties' },
  schemas: { version: DATED, root: `/crm-object-schemas/${DATED}`, sdk: '/crm-object-schemas/v3' },
  owners: { version: DATED, root: `/crm/owners/${DATED}`, sdk: '/crm/v3/owners' },
  pipelines: { version: DATED, root: `/crm/pipelines/${DATED}`, sdk: '/crm/v3/pipelines' },
  lists: { version: DATED, root: `/crm/lists/${DATED}`, sdk: '/crm/v3/lists' },
  oauth: { version: DATED, root: `/oauth/${DATED}`, sdk: '/oauth/v1' },
  installs: { version: DATED, root: `/appinstalls/${DATED}` },
  consents: { version: DATED, root: `/communication-preferences/${DATED}/statuses` },
  sequences: { version: DATED, root: `/automation/sequences/${DATED}` },
  appWebhooks: { version: DATED, root: `/app-webhooks/${DATED}` },
  accountInfo: { version: DATED, root: `/account-info/${DATED}` },
  timeline: { version: '2026-03', root: '/integrators/timeline/2026-03' },
  journal: { version: '2026-03', root: '/webhooks-journal/journal/2026-03' },
  staticTokens: { version: 'v2', root: '/oauth/v2/private-apps/get/access-token-info' },
} as const satisfies Record<string, Family>;

const bySdk = Object.values<Family>(families).flatMap(({ sdk, root }) => (sdk === undefined ? [] : [{ sdk, root }]));

/** The declared path of a call that the SDK would make elsewhere. Throws for a family that has no declared version. */
export function declaredPath(path: string): string {
  const family = bySdk.find(({ sdk }) => path === sdk || path.startsWith(`${sdk}/`) || path.startsWith(`${sdk}?`));
  if (!family) throw new Error(`no version is declared for ${path.split('?')[0] ?? ''}`);
  // The SDK ends some paths with a slash, dated ones have none.
  return `${family.root}${path.slice(family.sdk.length).replace(/\/(?=\?|$)/, '')}`;
}
