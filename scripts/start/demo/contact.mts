export type Properties = Record<string, string | null | undefined>;

export interface DemoContact {
  readonly id: string;
  /** Changes properties as a person would in HubSpot's own pages. */
  change(properties: Properties): Promise<void>;
  /** Reads properties as any integration does. */
  read(names: readonly string[]): Promise<Properties>;
}

/** Makes a contact with notes in the HubSpot sandbox, as a person would. */
export async function createContact(hubspotUrl: string, accessToken: string): Promise<DemoContact> {
  const person = (method: string, path: string, body: object) =>
    call(`${hubspotUrl}/_sandbox/ui/contacts${path}`, { method, body: JSON.stringify(body) });
  const { id } = (await person('POST', '', {
    properties: {
      firstname: 'Maria',
      lastname: 'Johnson',
      email: `maria.johnson+${Date.now()}@example.com`,
      company: 'Northwind Traders',
      recent_conversion_event_name: 'Pricing page: talk to sales',
    },
    notes: [
      'Spoke with Maria: $50k budget ready for Q1, decision by the end of January.',
      'Wants a personal walk-through for her team of twelve. Compared us with two others.',
    ],
  })) as { id: string };
  return {
    id,
    change: async (properties) => void (await person('PATCH', `/${id}`, { properties })),
    read: async (names) => {
      const url = `${hubspotUrl}/crm/objects/2026-09/contacts/${id}?properties=${names.join(',')}`;
      const record = await call(url, { headers: { authorization: `Bearer ${accessToken}` } });
      return (record as { properties: Properties }).properties;
    },
  };
}

async function call(url: string, init: RequestInit): Promise<unknown> {
  const headers = { 'content-type': 'application/json', ...init.headers };
  const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) {
    throw new Error(
      `${init.method ?? 'GET'} ${new URL(url).pathname} answered ${response.status}: ${await response.text()}`,
    );
  }
  return response.json();
}
