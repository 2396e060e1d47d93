// What the hub answers a card with, as the contract of the card's back end says.

export const nothing = {
  record: { type: 'contact', id: '123' },
  asOf: '2026-11-20T10:00:00Z',
  videos: [],
  enrichments: [],
  external: [],
  lastError: null,
  spent: { credits: 0, inputTokens: 0, outputTokens: 0 },
};

export const video = {
  recipe: 'instant-lead',
  render: 2,
  status: 'COMPLETED',
  at: '2026-11-20T09:59:00Z',
  videoId: 'v-1',
  url: 'https://videos.example.com/v-1.mp4',
  error: null,
  cost: { credits: 1 },
  again: { cost: { credits: 1 } },
};

export const enrichment = {
  recipe: 'lead-score',
  ask: 'qualify',
  status: 'COMPLETED',
  at: '2026-11-20T09:58:00Z',
  model: 'gpt-5.2-mini',
  score: 87,
  sentiment: 0.4,
  summary: 'Wants to buy before the year ends.',
  reasons: ['has a budget', 'asked for a date'],
  evidence: ['We have 40,000 set aside', 'Can we start in December?'],
  facts: [{ label: 'Budget', value: '40,000' }],
  error: null,
  cost: { inputTokens: 1200, outputTokens: 300 },
};

export const external = {
  recipe: 'instant-lead',
  step: 'subscription',
  system: 'billing',
  at: '2026-11-20T09:57:00Z',
  fields: [{ label: 'plan', value: 'pro' }],
  error: null,
};

export const lastError = {
  of: 'write',
  code: 'property-unknown',
  says: 'HubSpot has no property lead_score.',
  remedy: 'Run refrain init hubspot.',
  at: '2026-11-20T09:56:00Z',
};

export const everything = {
  ...nothing,
  videos: [video],
  enrichments: [enrichment],
  external: [external],
  lastError,
  spent: { credits: 2, inputTokens: 1200, outputTokens: 300 },
};

/** The same with a newer render under way. */
export const rerendered = {
  ...everything,
  videos: [
    {
      ...video,
      render: 3,
      status: 'PENDING',
      videoId: null,
      url: null,
      cost: null,
      again: { refused: 'It is being rendered.' },
    },
  ],
};

export const movedOn = {
  type: 'about:blank',
  status: 409,
  code: 'render-moved-on',
  title: 'There is a newer render',
  detail: 'Render 3 was asked for already.',
};
