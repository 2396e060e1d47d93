import type { WholeCall } from '#libs/event-store';
import { SealBroken, type Sealer, sealingKeys } from '#libs/platform';
import { z } from 'zod';

/** The kind of call by which a language model is asked about a record. */
export const QUESTION = 'openai.ask';

export const sealingConfig = z.object({
  SEALING_KEY: sealingKeys().describe('Keys that open what is kept of questions, as in enrichment-service'),
});

/** What is sealed of a question to a language model. */
const sealedQuestion = z.object({
  instruction: z.string(),
  text: z.string(),
  schema: z.unknown(),
  misfit: z.string().optional(),
  answer: z.string(),
});
export type SealedQuestion = z.infer<typeof sealedQuestion>;

/** Opens what is sealed of a question; rejects with a SealBroken. Nothing of it is shown before that is told on the log. */
export async function openQuestion(sealer: Sealer, { sealed, place }: WholeCall): Promise<SealedQuestion> {
  const parsed = sealedQuestion.safeParse(JSON.parse(await sealer.open(sealed, place)));
  if (!parsed.success) throw new SealBroken('it is no question to a language model');
  return parsed.data;
}

/** As which ask a question was put, with its version where the facts say one: `grade@1`. */
export const askedAs = ({ ask, version }: Record<string, unknown>): string =>
  [ask, version]
    .flatMap((part) => (typeof part === 'string' || typeof part === 'number' ? [String(part)] : []))
    .join('@');
