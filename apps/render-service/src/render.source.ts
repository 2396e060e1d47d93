import {
  crmEvents,
  HEYGEN_CLAIMED,
  readCallbackId,
  readHeygen,
  recordOf,
  RENDER_ASKED,
  renderAsked,
  type RenderEvent,
  renderEvents,
  subjectOf,
  Topic,
} from '#libs/contracts';
import {
  type InboxKey,
  type ProcessDefinition,
  type ReadableRecord,
  readStreamId,
  type Route,
  streamIdOf,
  type Target,
  UnreadableRecord,
} from '#libs/process';
import {
  ofKind,
  type Recipe,
  type RecordFate,
  recipesWith,
  type Reference,
  stepsDue,
  WITHDRAW,
  withTexts,
  type WriterApp,
  type Written,
} from '#libs/recipes';
import { type Copying, REMOVE } from './copy.decider';
import { ORDERED_AGAIN, STILL_ASKED } from './costs';
import { AGAIN } from './failure.decider';
import type { VideoPrices } from './prices';
import { renderDecider } from './render.decider';
import type { Ended, RenderInput, VideoDue, VideoState } from './render-input';
import type { Renders } from './renders';
import type { LinksOf } from './video-links';

const service = 'render-service';

/** How videos are ordered here, besides the recipes. */
export interface RenderSettings {
  environment?: string | undefined;
  reference?: Reference | undefined;
  retryAfterMs?: number;
  /** Where renders can be seen for good; HeyGen's own address where absent. */
  links?: LinksOf | undefined;
  /** Whether videos are copied to storage of one's own. */
  copying?: Copying;
  /** What videos cost; without it nothing is settled. */
  prices?: Pick<VideoPrices, 'ofSeconds'>;
}

/**
 * render-service's ways in: what lets a recipe's video step begin, HeyGen's callbacks, effects' ends. Each
 * input goes by the recipes of its moment.
 */
export function renderProcess(
  recipes: () => readonly Recipe[],
  writer: WriterApp,
  settings: RenderSettings = {},
): ProcessDefinition<Renders, RenderEvent, RenderInput> {
  const { environment, reference, retryAfterMs, links, copying, prices } = settings;
  const steps = (record: ReadableRecord) => routeSteps(record, recipes(), writer);
  const recipeOf = (streamId: string) => recipes().find((recipe) => recipe.id === readStreamId(streamId).name);
  return {
    service,
    catalog: renderEvents,
    decider: renderDecider(retryAfterMs, copying),
    provenance: ['recipeVersion', 'actedAt'],
    declared(texts) {
      const declared = withTexts(recipes(), texts, environment, reference);
      return renderProcess(() => declared, writer, settings);
    },
    routes: {
      [Topic.ingressHubspot]: (record) =>
        record.envelope.type === RENDER_ASKED ? routeAsked(record, recipes()) : steps(record),
      [Topic.ingressGeneric]: steps,
      [Topic.enrichment]: steps,
      [Topic.crm]: (record) =>
        record.envelope.type === SUBJECT_ERASED ? routeErased(record, recipes()) : steps(record),
      [Topic.sweep]: steps,
      [Topic.ingressHeygen]: (record) => routeCallback(record, links),
    },
    outcome({ kind, purpose, rootCause, generation, ...end }, at, streamId) {
      const ended = (
        end.state === 'done'
          ? { state: 'done', answer: end.answer }
          : { ...end, code: end.code ?? end.state, message: saidIn(end.answer) }
      ) as Ended<never>;
      switch (kind) {
        case 'hubspot.read':
          return { type: 'read', rootCause, recipe: recipeOf(streamId), streamId, purpose, at, ended };
        case 'heygen.generate':
          return { type: 'generated', rootCause, generation, at, ended, ...(end.reserved ? { reserved: true } : {}) };
        case 'heygen.status': {
          const usd = costOf(ended, prices);
          return { type: 'status-read', rootCause, at, ended, purpose, link: links?.(streamId), usd };
        }
        case 'copy.make':
          return { type: 'copied', rootCause, at, ended };
        case 'copy.remove':
        case 'heygen.remove':
          return { type: 'removed' };
        default:
          throw new Error(`${service} owes no ${kind}`);
      }
    },
    timerFollows: ({ name }) => (name.startsWith(AGAIN) ? ORDERED_AGAIN : STILL_ASKED),
    timer: ({ name }, _at, streamId, rootCause) => timerIn(name, streamId, rootCause),
  };
}

function timerIn(name: string, streamId: string, rootCause: string): RenderInput {
  if (name === WITHDRAW) return { type: 'withdraw' };
  const [first = 1, second = 1] = name.match(/\d+/g)?.map(Number) ?? [];
  if (name.startsWith(AGAIN)) return { type: 'again', render: first, generation: second, streamId };
  if (name.startsWith(REMOVE)) return { type: 'remove-again', render: first };
  return { type: 'overdue', rootCause, generation: first, ask: second };
}

function costOf(ended: Ended<VideoState>, prices: RenderSettings['prices']): number | undefined {
  const seconds = ended.state === 'done' ? ended.answer.duration : undefined;
  return seconds === undefined ? undefined : prices?.ofSeconds(seconds);
}

const saidIn = (answer: unknown): string | undefined => (answer as { message?: string } | null)?.message;

function routeSteps(record: ReadableRecord, recipes: readonly Recipe[], writer: WriterApp): Route<RenderInput> {
  const read = stepsDue(record, recipes, writer);
  if ('error' in read) throw new UnreadableRecord(read.error);
  const targets = [
    ...ofKind(read.due, 'video').map(triggered),
    ...read.written.filter(({ recipe }) => isSetOff(recipe)).map(written(record.envelope.tenant)),
    ...read.fates.flatMap((one) => followed(one, recipes, record.envelope.tenant)),
  ];
  return targets.length === 0 ? { ignored: true } : { inbox: read.inbox, targets };
}

/**
 * A person's wish has the same id, which is the new render's root cause, however often it is sent; each sending is an
 * input of its own, so that one that came too early takes nothing from a later one.
 */
function routeAsked({ envelope, value }: ReadableRecord, recipes: readonly Recipe[]): Route<RenderInput> {
  const read = renderAsked.safeParse(value);
  if (!read.success) throw new UnreadableRecord(read.error.message);
  const { record, recipe: name, ...asked } = read.data;
  const { tenant, time: at, correlationid: rootCause } = envelope;
  const of = recipesWith(recipes, ['video'], { tenant, type: record.type });
  const ask = { ...asked, record, rootCause, at, recipe: of.find(({ id }) => id === name) };
  return {
    inbox: { key: `${envelope.source}|${envelope.id}|${at}`, day: at.slice(0, 10) },
    targets: [targetOf(streamIdOf({ context: 'render', tenant, record, name }), { type: 'asked', ask })],
  };
}

const SUBJECT_ERASED = crmEvents.shapes.SubjectErased.wire;

/** What was made of the record is deleted, by all recipes that make videos of such records. */
function routeErased({ envelope }: ReadableRecord, recipes: readonly Recipe[]): Route<RenderInput> {
  const { id, tenant, time, subject = '' } = envelope;
  const record = recordOf(subject);
  if (!record) return { ignored: true };
  const of = recipesWith(recipes, ['video'], { tenant, type: record.type });
  const streams = of.map(({ id: name }) => streamIdOf({ context: 'render', tenant, record, name }));
  return {
    inbox: { key: id, day: time.slice(0, 10) },
    targets: streams.map((streamId) => targetOf(streamId, { type: 'subject-erased' })),
  };
}

const isSetOff = ({ steps }: Recipe): boolean =>
  steps.some(({ kind, after }) => kind === 'video' && after === undefined);

const written =
  (tenant: string) =>
  ({ recipe, record, value }: Written): Target<RenderInput> =>
    targetOf(streamIdOf({ context: 'render', tenant, record, name: recipe.id }), { type: 'written', value });

/** What became of a record is told to its streams by all recipes, those too that nothing has set off yet. */
const followed = ({ record, fate }: RecordFate, recipes: readonly Recipe[], tenant: string): Target<RenderInput>[] =>
  recipesWith(recipes, ['video'], { tenant, type: record.type }).map(({ id: name }) =>
    targetOf(streamIdOf({ context: 'render', tenant, record, name }), { type: 'followed', fate }),
  );

const triggered = (trigger: VideoDue): Target<RenderInput> => ({
  streamId: streamIdOf({ context: 'render', ...trigger, name: trigger.recipe.id }),
  tenant: trigger.tenant,
  subject: subjectOf(trigger.record),
  input: { type: 'triggered', trigger },
});

function routeCallback({ envelope, value, hash }: ReadableRecord, links?: LinksOf): Route<RenderInput> {
  const read = readHeygen(value);
  if ('error' in read) throw new UnreadableRecord(read.error);
  const { callback } = read;
  const { videoId } = callback;
  // Callbacks have no time of their own that can be trusted; HeyGen repeats them within a day under the same id.
  const inbox = { key: `${envelope.source}|${envelope.id}`, received: envelope.time };
  const ours = readCallbackId(callback.callbackId);
  // A callback is its connection's: it cannot speak for another tenant's render.
  if (ours && ours.tenant !== envelope.tenant) return { ignored: true };
  if (envelope.type !== HEYGEN_CLAIMED) {
    const heard = (streamId: string, named: { render?: number; generation: number }): Target<RenderInput> =>
      targetOf(streamId, { type: 'called-back', callback, at: envelope.time, ...named, link: links?.(streamId) });
    if (ours) return { inbox, targets: [heard(ours.streamId, { render: ours.render, generation: ours.generation })] };
    const target = (streamId: string) => heard(streamId, { generation: 1 });
    return videoId ? byVideo(inbox, envelope.tenant, videoId, target) : { ignored: true };
  }
  const claim = hash.slice(0, 16);
  // By its video first: one that comes before the order's answer waits until the answer tells whose the video is.
  if (videoId)
    return byVideo(inbox, envelope.tenant, videoId, (streamId) =>
      targetOf(streamId, { type: 'claimed', claim, videoId }),
    );
  if (!ours) return { ignored: true };
  return { inbox, targets: [targetOf(ours.streamId, { type: 'claimed', claim, render: ours.render })] };
}

const byVideo = (
  inbox: InboxKey,
  tenant: string,
  externalId: string,
  target: (streamId: string) => Target<RenderInput>,
): Route<RenderInput> => ({ inbox, targets: [], awaits: { tenant, vendor: 'heygen', externalId, target } });

function targetOf(streamId: string, input: RenderInput): Target<RenderInput> {
  const { tenant, record } = readStreamId(streamId);
  return { streamId, tenant, subject: subjectOf(record), input };
}
