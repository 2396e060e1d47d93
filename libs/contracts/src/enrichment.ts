import { z } from 'zod';
import { chain } from './chain';
import { catalog, type EventOf } from './events';
import { fateSchema } from './fate';
import { fetchShapes } from './fetch';
import { looked } from './lookup';
import { actedAt, depth, loopCut, valueWritten } from './loop';
import { Topic } from './topics';

/** Which enrichment of which recipe an event speaks of. `triggeredAt` is the trigger's own time (RFC 3339). */
const about = {
  recipe: z.string().describe('Id of the recipe'),
  recipeVersion: z.string().describe("Names the recipe's content: equal content, equal version"),
  enrichment: z.int().positive().describe('Number of the enrichment on its record, from 1'),
  triggeredAt: z.iso.datetime().describe("The trigger's own time"),
};

/** What was read and is not told to the model as it stands; absent where all is. */
const untold = {
  leftOut: z
    .array(
      z.object({
        entry: z.string().describe('What it is, such as a property or `note of 2026-11-20`'),
        code: z.literal('not-text').describe('Why, for programs'),
        is: z.string().describe('What it is instead of text'),
        characters: z.int(),
      }),
    )
    .optional()
    .describe('What was read and is told to nobody'),
};

/** The history of one record's enrichments and fetches by one recipe: stream `enrichment-…`, topic `enrichment.events.v1`. */
export const enrichmentEvents = catalog('enrichment', Topic.enrichment, {
  EnrichmentRequested: {
    wire: 'refrain.enrichment.requested.v1',
    data: z
      .object({
        ...about,
        rootCause: z.string().describe('Id of the first accepted record of the chain'),
        content: z.string().describe('What the trigger said; equal content within the cool-down is the same trigger'),
        results: chain.results,
        depth,
      })
      .describe('A trigger matched: the record and its notes are to be judged, and are read first.'),
  },
  EnrichmentDivided: {
    wire: 'refrain.enrichment.divided.v1',
    data: z
      .object({
        ...about,
        ask: z.string().describe('Name of the question in the recipe'),
        parts: z.array(z.string()).describe('Ids of the parts whose summaries are not known; equal text, equal id'),
        ...untold,
        looked,
      })
      .describe('More was read than one question may hold: its longest texts are summed up first, part by part.'),
  },
  EnrichmentSummarised: {
    wire: 'refrain.enrichment.summarised.v1',
    data: z
      .object({
        ...about,
        part: z.string().describe('Id of the part'),
        summary: z.string().describe('What the model says that it says'),
        model: z.string().describe('The model that summed it up'),
        tokens: z
          .object({ input: z.int(), output: z.int() })
          .describe('What was paid for; once, however many records tell the same text'),
      })
      .describe(
        'A part of a long text was summed up; after the last one the record is read once more and the question asked.',
      ),
  },
  EnrichmentPrepared: {
    wire: 'refrain.enrichment.prepared.v1',
    data: z
      .object({
        ...about,
        ask: z.string().describe('Name of the question in the recipe'),
        notes: z.int().nonnegative().describe('How many notes were read'),
        context: z
          .record(z.string(), z.int())
          .optional()
          .describe('How many of each further kind were read, such as emails'),
        ...untold,
        summedUp: z
          .array(z.object({ entry: z.string(), characters: z.int(), tokens: z.int(), parts: z.int() }))
          .optional()
          .describe('What is told by its summary alone: how long it is, and in how many parts it was summed up'),
        looked,
      })
      .describe('The record was read; the question is owed to OpenAI.'),
  },
  EnrichmentRejected: {
    wire: 'refrain.enrichment.rejected.v1',
    data: z
      .object({
        ...about,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
      })
      .describe('No question is asked, and nothing was spent: the record does not say what is needed.'),
  },
  EnrichmentCompleted: {
    wire: 'refrain.enrichment.completed.v1',
    data: z
      .object({
        ...about,
        ask: z.string().describe('Name of the question in the recipe'),
        model: z.string().describe('The model that answered'),
        answer: z.record(z.string(), z.unknown()).describe("The answer, in the shape of the recipe's schema"),
        tokens: z.object({ input: z.int(), output: z.int() }).describe('What was paid for'),
        unsupported: z
          .array(z.string())
          .optional()
          .describe(
            'Places of the answer that nothing in what the model was told bears out, such as budget or quotes.1',
          ),
        ...chain,
        actedAt,
      })
      .describe('The answer came and fits its schema.'),
  },
  EnrichmentMisread: {
    wire: 'refrain.enrichment.misread.v1',
    data: z
      .object({
        ...about,
        code: z.literal('schema').describe('Why, for programs'),
        reason: z.string().describe('What of the answer does not fit its schema'),
        tokens: z.object({ input: z.int(), output: z.int() }).describe('What was paid for'),
      })
      .describe('The answer does not fit its schema: the model is asked once more and told so.'),
  },
  EnrichmentFailed: {
    wire: 'refrain.enrichment.failed.v1',
    data: z
      .object({
        ...about,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
      })
      .describe('No usable answer will come.'),
  },
  EnrichmentLoopCut: {
    wire: 'refrain.enrichment-loop.cut.v1',
    data: loopCut.describe('Machines set off the recipe by answering what it does: it is set off by them no more.'),
  },
  EnrichmentValueWritten: { wire: 'refrain.enrichment-value.written.v1', data: valueWritten },
  EnrichmentRecordFollowed: {
    wire: 'refrain.enrichment-record.followed.v1',
    data: fateSchema.describe(
      'The record was merged, deleted, restored or erased: what was asked about it follows it.',
    ),
  },
  ...fetchShapes,
});

export type EnrichmentEvent = EventOf<typeof enrichmentEvents>;

/** What happened to a fetch; the rest of its stream is about enrichments, or about the record. */
export type FetchEvent = Extract<EnrichmentEvent, { type: `Fetch${string}` }>;

export const isOfFetch = (event: EnrichmentEvent): event is FetchEvent => event.type.startsWith('Fetch');

/** What happened to one enrichment. */
export type OneEnrichmentEvent = Extract<EnrichmentEvent, { data: { enrichment: number } }>;

export const isOfEnrichment = (event: EnrichmentEvent): event is OneEnrichmentEvent => 'enrichment' in event.data;
