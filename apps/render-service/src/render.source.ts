import { readHeygen, renderEvents, subjectOf, Topic, type HeygenCallback, type RenderEvent } from '#libs/contracts';
import {
  type ProcessDefinition,
  type ReadableRecord,
  readStreamId,
  type Route,
  streamIdOf,
  type Target,
  UnreadableRecord,
} from '#libs/process';
import { hubspotTriggers, type Recipe, type Trigger } from '#libs/recipes';
import { type Ended, readCallbackId, renderDecider, type RenderInput, type Renders } from './render.decider';

const service = 'render-service';

/** render-service's ways in: HubSpot changes that set off a recipe's video step, HeyGen's callbacks, effects' ends. */
export function renderProcess(
  recipes: Recipe[],
  writerAppId: string,
): ProcessDefinition<Renders, RenderEvent, RenderInput> {
  const withVideo = recipes.filter((recipe) => recipe.video);
  const recipeOf = (streamId: string) => withVideo.find((recipe) => recipe.id === readStreamId(streamId).name);
  return {
    service,
    catalog: renderEvents,
    decider: renderDecider,
    provenance: ['recipeVersion'],
    routes: {
      [Topic.ingressHubspot]: (record) => routeChange(record, withVideo, writerAppId),
      [Topic.ingressHeygen]: routeCallback,
    },
    outcome({ kind, rootCause, generation, ...end }, at, streamId) {
      const ended = (end.state === 'done' ? { state: 'done', answer: end.answer } : end) as Ended<never>;
      switch (kind) {
        case 'hubspot.read':
          return { type: 'read', rootCause, recipe: recipeOf(streamId), streamId, ended };
        case 'heygen.generate':
          return { type: 'generated', rootCause, generation, at, ended };
        case 'heygen.status':
          return { type: 'status-read', rootCause, at, ended };
        default:
          throw new Error(`${service} owes no ${kind}`);
      }
    },
    timerFollows: () => ({ apiCalls: 1 }),
    timer: (_timer, _at, _streamId, rootCause) => ({ type: 'overdue', rootCause }),
  };
}

function routeChange(record: ReadableRecord, recipes: Recipe[], writerAppId: string): Route<RenderInput> {
  const read = hubspotTriggers(record, recipes, writerAppId);
  if ('error' in read) throw new UnreadableRecord(read.error);
  if (read.triggers.length === 0) return { ignored: true };
  return { inbox: read.inbox, targets: read.triggers.map(triggered) };
}

const triggered = (trigger: Trigger): Target<RenderInput> => ({
  streamId: streamIdOf({ context: 'render', ...trigger, name: trigger.recipe.id }),
  tenant: trigger.tenant,
  subject: subjectOf(trigger.record),
  input: { type: 'triggered', trigger },
});

function routeCallback({ envelope, value }: ReadableRecord): Route<RenderInput> {
  const read = readHeygen(value);
  if ('error' in read) throw new UnreadableRecord(read.error);
  const { callback } = read;
  // Callbacks have no time of their own that can be trusted; HeyGen repeats them within a day under the same id.
  const inbox = { key: `${envelope.source}|${envelope.id}`, received: envelope.time };
  const ours = readCallbackId(callback.callbackId);
  if (ours) {
    const target = calledBack(ours.streamId, callback, ours);
    // The callback's secret is a tenant's: it cannot speak for another one's render.
    return target.tenant === envelope.tenant ? { inbox, targets: [target] } : { ignored: true };
  }
  if (!callback.videoId) return { ignored: true };
  return {
    inbox,
    targets: [],
    awaits: {
      tenant: envelope.tenant,
      vendor: 'heygen',
      externalId: callback.videoId,
      target: (streamId) => calledBack(streamId, callback, { generation: 1 }),
    },
  };
}

function calledBack(
  streamId: string,
  callback: HeygenCallback,
  named: { render?: number; generation: number },
): Target<RenderInput> {
  const { tenant, record } = readStreamId(streamId);
  const { render, generation } = named;
  return { streamId, tenant, subject: subjectOf(record), input: { type: 'called-back', callback, render, generation } };
}
