import type { EffectKind } from '#libs/process';
import {
  HubspotClient,
  hubspotLimits,
  type ReadRequest,
  type TaskRequest,
  type UpdateRequest,
} from '#libs/vendors/hubspot';
import { WRITE_DEADLINE_MS } from './read-back';
import type { RecordConfig } from './record.config';
import { CREATE_TASK } from './task.decider';

// Enough to be no other task's of the record, and short enough to be read out.
const REFERENCE_DIGITS = 16;

/**
 * crm-writer's calls. A write whose answer was lost is sent again before any later one of its record: it says what the
 * record should say, so once more changes nothing. Once it has ended the record is read back. A task whose answer was
 * lost is looked for before it is made again.
 */
export function recordEffects(config: RecordConfig): Record<string, EffectKind> {
  const hubspot = new HubspotClient({ baseUrl: config.HUBSPOT_BASE_URL, accessToken: config.HUBSPOT_ACCESS_TOKEN });
  const plan = {
    perTenSeconds: config.HUBSPOT_PER_TEN_SECONDS,
    perDay: config.HUBSPOT_PER_DAY,
    timeZone: config.HUBSPOT_TIME_ZONE,
  };
  return {
    'hubspot.update': {
      is: 'command',
      deadlineMs: WRITE_DEADLINE_MS,
      maxAttempts: 8,
      maxRepeats: 10,
      limits: hubspotLimits(plan),
      // A write carries all that is wanted: another one follows only from what somebody else wants meanwhile, or from a
      // repeated call, which no bound holds.
      plan: { answer: () => ({ modifiedAt: null }), cost: () => ({ apiCalls: 1 }), follows: () => ({}) },
      perform: (request: UpdateRequest, call) => hubspot.update(request, call.signal),
    },
    'hubspot.read': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 8,
      maxRepeats: 0,
      limits: hubspotLimits(plan),
      // What a late call set back is written once more; a step's reading leads to a write and a task.
      plan: { cost: () => ({ apiCalls: 1 }), follows: () => ({ apiCalls: 2 }) },
      perform: (request: ReadRequest, call) => hubspot.read(request, call.signal),
    },
    [CREATE_TASK]: {
      is: 'command',
      deadlineMs: WRITE_DEADLINE_MS,
      maxAttempts: 8,
      maxRepeats: 10,
      // A repeat asks for the record's tasks, reads one batch of them, and makes the task.
      limits: hubspotLimits(plan, 3),
      plan: { answer: () => ({ taskId: 'planned' }), cost: () => ({ apiCalls: 1 }), follows: () => ({}) },
      perform: (request: TaskRequest, { idempotencyKey, attempt, signal }) =>
        hubspot.createTask(
          request,
          { reference: idempotencyKey.slice(0, REFERENCE_DIGITS), isRepeat: attempt > 1 },
          signal,
        ),
    },
  };
}
