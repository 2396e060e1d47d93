import { z } from 'zod';

/** Wire type of the announcement on `<service>.dlq` that an input's handling failed and its key is parked (protocol 11). */
export const INPUT_PARKED = 'refrain.input.parked.v1';

/** Wire type of a record copied to `<service>.dlq` because it cannot be read; its value is the original's bytes. */
export const RECORD_UNREADABLE = 'refrain.record.dead-lettered.v1';

/** Wire type of authentic input on `ingress.quarantine` that has not the shape of its kind. */
export const INPUT_QUARANTINED = 'refrain.input.quarantined.v1';

/** What `<service>.dlq` says of a parked input. The input itself waits in the mailbox. */
export const inputParked = z.object({
  service: z.string(),
  inputKey: z.string(),
  input: z.string(),
  code: z.string(),
  errorClass: z.string(),
  reason: z.string(),
});

/**
 * Wire type of the announcement that what waited behind a parked key was decided after all, part of it discarded, or it
 * was erased with its subject.
 */
export const INPUTS_FREED = 'refrain.input.freed.v1';

/** What `<service>.dlq` says when a parked key is free again or an input behind it was dropped. */
export const inputsFreed = z.object({
  service: z.string(),
  inputKey: z.string(),
  how: z.enum(['released', 'discarded', 'erased']),
  /** Keys of the inputs that were dropped; empty where all were decided. */
  inputs: z.array(z.string()),
  by: z.string(),
});
