import { modelNotFound } from './errors.ts';

export interface Model {
  id: string;
  created: number;
  shutdownDate: string | null;
  /** Reasoning models refuse sampling parameters and max_tokens. */
  reasoning: boolean;
  contextTokens: number;
}

const LAUNCHED = 1_767_225_600;

const row = (id: string, reasoning: boolean, contextTokens: number, shutdownDate: string | null = null): Model => ({
  id,
  created: LAUNCHED,
  shutdownDate,
  reasoning,
  contextTokens,
});

/** As known in November 2026. */
const MODELS: Model[] = [
  row('gpt-6-luna', true, 1_050_000),
  row('gpt-6-sol', true, 1_050_000),
  row('gpt-6-astra', true, 1_050_000),
  row('gpt-6.1-sol', true, 1_050_000),
  row('gpt-6.1-terra', true, 1_050_000),
  row('gpt-5.6-luna', true, 1_050_000),
  row('gpt-5.6-terra', true, 1_000_000),
  row('gpt-5.6-sol', true, 1_000_000),
  row('gpt-5.5', true, 1_000_000),
  row('gpt-5.4', true, 1_000_000),
  row('gpt-5.4-mini', true, 400_000),
  row('gpt-5.4-nano', true, 400_000, '2027-04-01'),
  row('gpt-5', true, 400_000, '2026-12-11'),
  row('gpt-5-mini', true, 400_000, '2026-12-11'),
  row('gpt-5-nano', true, 400_000, '2026-12-11'),
  row('o3', true, 200_000, '2026-12-11'),
  row('gpt-4o', false, 128_000, '2027-01-14'),
  row('gpt-4o-mini', false, 128_000, '2027-01-14'),
  row('gpt-4.1', false, 1_000_000, '2027-01-14'),
  row('gpt-4.1-mini', false, 1_000_000, '2027-01-14'),
];

const isAlive = ({ shutdownDate }: Model, now: number): boolean =>
  shutdownDate === null || now < Date.parse(`${shutdownDate}T00:00:00Z`);

export const livingModels = (): Model[] => MODELS.filter((model) => isAlive(model, Date.now()));

/** Throws `model_not_found` for an unknown model and for one that was shut down. */
export function livingModel(id: string): Model {
  const model = livingModels().find((candidate) => candidate.id === id);
  if (model === undefined) throw modelNotFound(id);
  return model;
}

export const shownModel = ({ id, created, shutdownDate }: Model): Record<string, unknown> => ({
  id,
  object: 'model',
  created,
  owned_by: 'openai',
  shutdown_date: shutdownDate,
});
