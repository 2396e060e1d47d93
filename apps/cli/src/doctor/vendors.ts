import type { Answer, HeygenApiVersion } from '#libs/contracts';
import type { TopicDifference } from '#libs/log';
import type { TemplateUse, Uses } from '#libs/recipes';
import type { TemplateVariable, VideoTemplate } from '#libs/vendors/heygen';
import type { Model } from '#libs/vendors/openai';
import { type Finding, finding, type FindingCode, listed } from './finding';

type Refused = Exclude<Answer, { outcome: 'done' }>;

/** Judges the templates that recipes order from, each by its own variables and by what the version can do. Pure. */
export function judgeTemplates(
  uses: readonly TemplateUse[],
  answers: ReadonlyMap<string, Answer<VideoTemplate>>,
  version: HeygenApiVersion,
): Finding[] {
  const refused = [...answers.values()].find((one): one is Refused => one.outcome !== 'done' && !isNotFound(one));
  if (refused)
    return [unanswered('HeyGen', refused, { key: 'heygen-key', unreachable: 'heygen-unreachable' }, 'HEYGEN')];
  return uses.flatMap((use) => {
    const answer = answers.get(use.template);
    if (!answer) return [];
    if (answer.outcome !== 'done') return [noTemplate(use)];
    return [...judgeVariables(use, answer.value.variables), ...judgeOptions(use, answer.value, version)];
  });
}

const isNotFound = ({ outcome, code }: Refused): boolean => outcome === 'stop' && /not_found|http-404/.test(code);

const noTemplate = ({ template, recipe }: TemplateUse): Finding =>
  finding(
    'template-missing',
    placeOf(template, recipe),
    'HeyGen has no such template for this key',
    'Correct its id in the recipe, or use the key of the workspace that has it.',
  );

const placeOf = (template: string, recipe: string): string => `HeyGen template ${template}, recipe ${recipe}`;

/** How far two aspect ratios may be apart and count as one: sides are even numbers. */
const SAME_RATIO = 0.01;

function judgeOptions(
  { template, recipe, dimension, subtitled }: TemplateUse,
  { aspectRatio }: VideoTemplate,
  version: HeygenApiVersion,
): Finding[] {
  const where = placeOf(template, recipe);
  const [wide = NaN, high = NaN] = aspectRatio?.split(':').map(Number) ?? [];
  const isOff = dimension && Math.abs((dimension.width * high) / (dimension.height * wide) - 1) > SAME_RATIO;
  return [
    ...(isOff
      ? [
          finding(
            'template-dimension',
            where,
            `The recipe asks for ${String(dimension.width)} × ${String(dimension.height)}, and the template is ${aspectRatio ?? ''}`,
            "Give width and height in the template's aspect ratio, or neither.",
          ),
        ]
      : []),
    ...(subtitled && version === 'v2'
      ? [
          finding(
            'template-option-unknown',
            where,
            'The recipe has subtitles, which version 2 does not take',
            'Take them out (caption is taken by both), or order by HEYGEN_API=v3.',
          ),
        ]
      : []),
  ];
}

function judgeVariables({ template, recipe, variables }: TemplateUse, own: readonly TemplateVariable[]): Finding[] {
  const where = placeOf(template, recipe);
  const missing = own.filter(({ name }) => variables[name] === undefined);
  const unknown = Object.keys(variables).filter((name) => !own.some((one) => one.name === name));
  const others = own.filter(
    ({ name, type }) => type !== undefined && variables[name] !== undefined && variables[name] !== type,
  );
  const remedy = `The template has ${listed(own.map(({ name }) => name)) || 'no variables'}: let the recipe name these.`;
  return [
    ...(missing.length > 0
      ? [
          finding(
            'template-variable-missing',
            where,
            `The recipe gives no ${listed(missing.map(({ name }) => name))}`,
            remedy,
          ),
        ]
      : []),
    ...(unknown.length > 0
      ? [
          finding(
            'template-variable-unknown',
            where,
            `The recipe gives ${listed(unknown)}, which the template does not have (any more)`,
            remedy,
          ),
        ]
      : []),
    ...others.map(({ name, type }) =>
      finding(
        'template-variable-type',
        where,
        `Its variable ${name} is of type ${type ?? ''}, and the recipe gives ${variables[name] ?? ''}`,
        `Let the recipe give ${type ?? ''}, or change the variable in HeyGen.`,
      ),
    ),
  ];
}

/** Judges whether copies of videos may be put into a bucket. Pure. */
export function judgeBucket(bucket: string, answer: Answer<void>): Finding[] {
  if (answer.outcome === 'done') return [];
  const where = `Bucket ${bucket}`;
  const { code, message } = answer;
  if (answer.outcome === 'retry' && answer.afterMs !== undefined)
    return [
      finding(
        'bucket-refused',
        where,
        `It takes no copies of videos: ${code}`,
        'Set VIDEO_STORE_BUCKET, VIDEO_STORE_REGION and a key that may put, get, delete and abort uploads there.',
      ),
    ];
  const remedy = 'See that this machine may connect to it (VIDEO_STORE_ENDPOINT, VIDEO_STORE_REGION).';
  return [finding('bucket-unreachable', where, `It gave no usable answer: ${code} ${message}`.trim(), remedy)];
}

/** How long before a model's end it is told, in milliseconds. */
const ENDING_MS = 60 * 86_400_000;

/**
 * Judges the models that recipes ask, and the one that sums up what is too long for them, by those that the key may ask;
 * `now` is epoch milliseconds. Pure.
 */
export function judgeModels(
  { uses, summaryModel }: { uses: Uses['models']; summaryModel: string },
  answer: Answer<Model[]>,
  now: number,
): Finding[] {
  if (answer.outcome !== 'done')
    return [unanswered('OpenAI', answer, { key: 'openai-key', unreachable: 'openai-unreachable' }, 'OPENAI')];
  return [...new Set([...uses.map(({ model }) => model), summaryModel])].flatMap((model) => {
    const recipes = listed(uses.filter((use) => use.model === model).map(({ recipe }) => recipe));
    const setting = model === summaryModel ? ['OPENAI_SUMMARY_MODEL'] : [];
    const where = [`OpenAI model ${model}`, ...(recipes === '' ? [] : [`recipe ${recipes}`]), ...setting].join(', ');
    const named = [...(recipes === '' ? [] : ['the recipe']), ...setting].join(' and in ');
    const known = answer.value.find(({ id }) => id === model);
    if (!known) {
      const remedy = `Name another model in ${named}.`;
      return [finding('model-missing', where, 'The key may not ask it, or it was shut down', remedy)];
    }
    const { endsAt } = known;
    if (endsAt === undefined || Date.parse(endsAt) - now >= ENDING_MS) return [];
    const remedy = `Name its successor in ${named} before that.`;
    return [finding('model-ending', where, `It is shut down on ${endsAt}`, remedy)];
  });
}

/** Judges whether questions may go by batches. What keeps that from being known is told of the models. Pure. */
export const judgeBatches = (answer: Answer<boolean>): Finding[] =>
  answer.outcome !== 'done' || answer.value
    ? []
    : [
        finding(
          'batches-missing',
          'OpenAI',
          'The account, or the compatible service, has no Batch API: what is asked for with --batch would wait',
          'Do without --batch, or set OPENAI_BATCH_ELSE=single: then it is asked singly, at the full price.',
        ),
      ];

function unanswered(
  vendor: string,
  { code, message }: Refused,
  codes: Record<'key' | 'unreachable', FindingCode>,
  setting: string,
): Finding {
  if (/unauthorized|forbidden|authentication|api_key|http-40[13]/.test(code)) {
    return finding(codes.key, vendor, `It does not take the key (${code})`, `Put a valid key in ${setting}_API_KEY.`);
  }
  const remedy = `See that this machine may connect to it (${setting}_BASE_URL), and look at its status page.`;
  return finding(codes.unreachable, vendor, `It gave no usable answer: ${code} ${message}`.trim(), remedy);
}

/** Judges the broker's topics. Pure. */
export const judgeTopics = (differences: readonly TopicDifference[]): Finding[] =>
  differences.map(({ topic, what, wanted, found }) =>
    what === 'missing'
      ? finding('topic-missing', `Kafka topic ${topic}`, 'It is not there', 'Run `refrain topics apply`.')
      : finding(
          'topic-differs',
          `Kafka topic ${topic}`,
          `Its ${what} are ${found}, and ${wanted} is declared`,
          'Run `refrain topics apply`.',
        ),
  );

/** Judges the schema of the event store. Pure. */
export const judgeMigrations = (pending: readonly string[]): Finding[] =>
  pending.length === 0
    ? []
    : [
        finding(
          'migrations-pending',
          'Postgres',
          `${pending.length} migrations are not applied: ${listed(pending)}`,
          'Run `refrain migrate` before services of this version start.',
        ),
      ];
