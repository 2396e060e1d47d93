import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Answer } from '#libs/contracts';
import { meter } from '#libs/platform';
import type { Question, Reply } from '#libs/vendors/openai';

// Names, units and bounds are those of OpenTelemetry's conventions for generative AI (opentelemetry.io/docs/specs/semconv/gen-ai).
const tokens = meter.createHistogram('gen_ai.client.token.usage', {
  description: 'Tokens that questions and answers took',
  unit: '{token}',
  advice: { explicitBucketBoundaries: [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576] },
});
const duration = meter.createHistogram('gen_ai.client.operation.duration', {
  description: 'How long the model took to answer',
  unit: 's',
  advice: { explicitBucketBoundaries: [0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] },
});
const tracer = trace.getTracer('refrain');

const askedOf = (model: string) => ({
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': model,
});

/** Measures what a question and its answer took. */
export function countTokens(model: string, used: Reply['tokens']): void {
  tokens.record(used.input, { ...askedOf(model), 'gen_ai.token.type': 'input' });
  tokens.record(used.output, { ...askedOf(model), 'gen_ai.token.type': 'output' });
}

/**
 * Asks within a span of its own, and measures what it took. Neither says anything of what was asked or answered: that is
 * personal data.
 */
export function observed({ model }: Question, ask: () => Promise<Answer<Reply>>): Promise<Answer<Reply>> {
  const asked = askedOf(model);
  const options = { kind: SpanKind.CLIENT, attributes: { ...asked, 'gen_ai.output.type': 'json' } };
  return tracer.startActiveSpan(`chat ${model}`, options, async (span) => {
    const start = performance.now();
    try {
      const answer = await ask();
      if (answer.outcome === 'done') {
        countTokens(model, answer.value.tokens);
        const { model: answered, finish, tokens: used } = answer.value;
        span.setAttributes({
          'gen_ai.response.model': answered,
          'gen_ai.response.finish_reasons': [finish],
          'gen_ai.usage.input_tokens': used.input,
          'gen_ai.usage.output_tokens': used.output,
        });
      } else span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', answer.code);
      const failed = answer.outcome === 'done' ? {} : { 'error.type': answer.code };
      duration.record((performance.now() - start) / 1_000, { ...asked, ...failed });
      return answer;
    } finally {
      span.end();
    }
  });
}
