import {
  type CrmEvent,
  crmEvents,
  type EnrichmentEvent,
  enrichmentEvents,
  type Guard,
  readEvent,
  recordOf,
  type RenderEvent,
  renderEvents,
  subjectOf,
  type TaskWish,
  Topic,
  UnreadableEvent,
} from '#libs/contracts';
import {
  type EffectOutcome,
  type ProcessDefinition,
  type ReadableRecord,
  readStreamId,
  type Route,
  streamIdOf,
  UnreadableRecord,
} from '#libs/process';
import type { CreatedTask, ReadRecord } from '#libs/vendors/hubspot';
import { type Ended, recordDecider, type RecordInput, type RecordState } from './record.decider';
import { CREATE_TASK, type TaskEnd } from './task.decider';

const service = 'crm-writer';

/** crm-writer's ways in: what render-service and enrichment-service decided, and effects' ends. */
export const recordProcess = (): ProcessDefinition<RecordState, CrmEvent, RecordInput> => ({
  service,
  catalog: crmEvents,
  decider: recordDecider,
  routes: {
    [Topic.render]: (record) => route(record, (type, data) => wishOfRender(readEvent(renderEvents, type, data))),
    [Topic.enrichment]: (record) =>
      route(record, (type, data) => wishOfEnrichment(readEvent(enrichmentEvents, type, data))),
  },
  outcome({ kind, purpose, ...end }, at, streamId) {
    if (kind === CREATE_TASK) return { type: 'task-ended', purpose, rootCause: end.rootCause, ended: taskEndOf(end) };
    const { record } = readStreamId(streamId);
    const write = writeIn(purpose);
    if (kind === 'hubspot.update') return { type: 'written', record, write, at, ended: endOf(end) };
    if (kind !== 'hubspot.read') throw new Error(`${service} owes no ${kind}`);
    const { properties } = (end.state === 'done' ? end.answer : {}) as Partial<ReadRecord>;
    return { type: 'read', record, write, properties };
  },
  timer: ({ name }, _at, streamId) => ({
    type: 'read-due',
    record: readStreamId(streamId).record,
    write: writeIn(name),
  }),
  // A look, and the write of what it finds undone.
  timerFollows: () => ({ apiCalls: 2 }),
});

// `write-3`, `read-back-3`: both name the write that they are about.
const writeIn = (name: string): number => Number(name.split('-').at(-1));

type End = Omit<EffectOutcome, 'kind' | 'purpose'>;

function endOf({ state, code, owedAt, repeats = 0 }: End): Ended {
  const unsure = repeats > 0 ? { unsure: true as const } : {};
  switch (state) {
    case 'done':
      return { state, ...unsure };
    case 'late':
    case 'erased':
      return { state };
    case 'superseded':
      return { state, owedAt };
    case 'held':
      return { state, code: code ?? state, ...unsure };
    default:
      return { state: 'dead', code: code ?? state, ...unsure };
  }
}

function taskEndOf({ state, code, answer }: End): TaskEnd {
  switch (state) {
    case 'done':
      return { state, taskId: (answer as Partial<CreatedTask> | null)?.taskId ?? UNTOLD };
    case 'held':
    case 'late':
    case 'erased':
      return { state };
    default:
      return { state: 'dead', code: code ?? state };
  }
}

// A person has said that a held task exists, and not which it is.
const UNTOLD = 'untold';

interface Wishes {
  properties: Record<string, string>;
  guard: Guard;
  tasks?: TaskWish[];
}

function route(
  { envelope, value }: ReadableRecord,
  wishesOf: (type: string, data: unknown) => Wishes | undefined,
): Route<RecordInput> {
  const record = recordOf(envelope.subject);
  if (!record) throw new UnreadableRecord(`${envelope.subject} is no record`);
  const wishes = readable(() => wishesOf(envelope.type, value));
  if (!wishes) return { ignored: true };
  const { tenant } = envelope;
  const stream = { streamId: streamIdOf({ context: 'record', tenant, record, name: '' }), tenant };
  const { tasks = [], ...wish } = wishes;
  const inputs: RecordInput[] = [
    { type: 'wanted', record, because: envelope.type, ...wish },
    ...tasks.map((task) => ({ type: 'task-wanted', record, rootCause: envelope.correlationid, task }) as const),
  ];
  return {
    inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
    targets: inputs.map((input) => ({ ...stream, subject: subjectOf(record), input })),
  };
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnreadableEvent ? new UnreadableRecord(error.message) : error;
  }
}

// Ranks of a render's states: a late PENDING never overwrites an end, and a video that came after all overrules FAILED.
const PENDING = 1;
const FAILED = 2;
const COMPLETED = 3;

function wishOfRender(event: RenderEvent): Wishes | undefined {
  const guard = (rank: number): Guard => ({ at: event.data.triggeredAt, number: event.data.render, rank });
  switch (event.type) {
    case 'RenderSubmitted': {
      const { videoId } = event.data;
      const job: Record<string, string> = videoId === undefined ? {} : { heygen_job_id: videoId };
      return { properties: { heygen_render_status: 'PENDING', ...job }, guard: guard(PENDING) };
    }
    case 'RenderCompleted': {
      const { url, videoId } = event.data;
      const video = { heygen_video_url: url, heygen_job_id: videoId };
      const done = { ...video, heygen_render_status: 'COMPLETED', heygen_render_error: '' };
      return { properties: done, guard: guard(COMPLETED) };
    }
    case 'RenderFailed':
      return {
        properties: { heygen_render_status: 'FAILED', heygen_render_error: event.data.code },
        guard: guard(FAILED),
      };
    default:
      return undefined;
  }
}

function wishOfEnrichment(event: EnrichmentEvent): Wishes | undefined {
  if (event.type !== 'EnrichmentCompleted') return undefined;
  const { properties, tasks, triggeredAt, enrichment } = event.data;
  return { properties, tasks, guard: { at: triggeredAt, number: enrichment, rank: COMPLETED } };
}
