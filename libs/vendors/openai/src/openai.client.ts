import type { Answer } from '#libs/contracts';
import OpenAI from 'openai';
import { chatReply, chatRequest } from './chat';
import { refusalOf } from './errors';
import { askerOf } from './instruction';
import type { LanguageModel, Model, OpenAiSettings, Question, Reply } from './language-model';
import { usdFor } from './prices';
import { responsesReply, responsesRequest } from './responses';

/** How OpenAI itself is asked. */
export const OPENAI_ITSELF = { api: 'chat', structure: 'schema', isCompatible: false, mostTokens: 4_000 } as const;

/**
 * OpenAI through the official SDK. Its own retries are off: a timed-out generation sent again costs twice, and its
 * `idempotencyKey` reaches nobody.
 */
export class OpenAiClient implements LanguageModel {
  private readonly client: OpenAI;

  constructor(private readonly settings: OpenAiSettings) {
    this.client = new OpenAI({
      apiKey: settings.apiKey,
      baseURL: settings.baseUrl ?? null,
      maxRetries: 0,
      logLevel: 'off',
    });
  }

  async ask(question: Question, tenant: string, signal: AbortSignal): Promise<Answer<Reply>> {
    try {
      const reply = await this.reply(question, askerOf(tenant), signal);
      const { input: inputTokens, output: outputTokens } = reply.tokens;
      return {
        outcome: 'done',
        value: reply,
        cost: { inputTokens, outputTokens, usd: this.usdFor(reply.model, reply) ?? this.usdFor(question.model, reply) },
      };
    } catch (error) {
      return refusalOf(error);
    }
  }

  // A compatible service may name a model otherwise than it is asked for.
  private usdFor(model: string, { tokens }: Reply): number | undefined {
    return usdFor(model, tokens, { agreed: this.settings.prices });
  }

  private async reply(question: Question, asker: string, signal: AbortSignal): Promise<Reply> {
    if (this.settings.api === 'responses') {
      const request = responsesRequest(question, asker, this.settings);
      const response = await this.client.responses.create(request, { signal });
      return { ...responsesReply(response), model: response.model };
    }
    const request = chatRequest(question, asker, this.settings);
    const completion = await this.client.chat.completions.create(request, { signal });
    return { ...chatReply(completion), model: completion.model };
  }

  async models(signal: AbortSignal): Promise<Answer<Model[]>> {
    try {
      const models: Model[] = [];
      for await (const model of this.client.models.list({ signal })) models.push(modelOf(model));
      return { outcome: 'done', value: models };
    } catch (error) {
      return refusalOf(error);
    }
  }
}

const modelOf = (model: OpenAI.Model): Model => {
  const { shutdown_date: endsAt } = model as { shutdown_date?: unknown };
  return { id: model.id, ...(typeof endsAt === 'string' ? { endsAt } : {}) };
};
