/** What the hub knows of a record: the answer of GET /cards/hubspot/:objectType/:objectId. */
export interface Answer {
  record: RecordId;
  asOf: string;
  videos: Video[];
  enrichments: Enrichment[];
  external: External[];
  lastError: (Fault & { of: string; at: string }) | null;
  spent: Cost;
  /** Says what was left out, where something was. */
  cut?: string;
}

export interface RecordId {
  type: 'contact' | 'company' | 'deal';
  id: string;
}

export interface Fault {
  code: string;
  says: string;
  remedy: string | null;
}

/** What is not there is not counted. */
export interface Cost {
  credits?: number;
  inputTokens?: number;
  outputTokens?: number;
}

export interface Field {
  label: string;
  value: string;
}

export interface Video {
  recipe: string;
  render: number;
  status: string;
  at: string;
  videoId: string | null;
  url: string | null;
  error: Fault | null;
  cost: Cost | null;
  again: { cost: Cost } | { refused: string };
}

export interface Enrichment {
  recipe: string;
  ask: string;
  status: string;
  at: string;
  model: string | null;
  score: number | null;
  sentiment: number | null;
  summary: string | null;
  reasons: string[];
  evidence: string[];
  facts: Field[];
  error: Fault | null;
  cost: Cost | null;
}

export interface External {
  recipe: string;
  step: string;
  system: string;
  at: string;
  fields: Field[];
  error: Fault | null;
}

/** Whether it is whole: what passes HubSpot's limit of 1 MB may come cut, or not as an answer at all. */
export function isAnswer(body: unknown): body is Answer {
  if (typeof body !== 'object' || body === null) return false;
  const { videos, enrichments, external, spent } = body as Partial<Record<keyof Answer, unknown>>;
  return [videos, enrichments, external].every(Array.isArray) && typeof spent === 'object' && spent !== null;
}
