/**
 * The states of an effect (protocol 15). `failed` is passed through, never kept: a call that the vendor refused for
 * certain is owed again or dead in the same statement.
 */
export type EffectState =
  'owed' | 'running' | 'done' | 'unknown' | 'held' | 'dead' | 'cancelled' | 'superseded' | 'erased';

/** What moves an effect from one state to another. */
export type Step =
  | 'claim'
  | 'settle done'
  | 'settle dead'
  | 'settle owed'
  | 'settle unknown'
  | 'expire'
  | 'repeat'
  | 'hold'
  | 'cancel'
  | 'supersede'
  | 'erase'
  | 'resolve done'
  | 'resolve dead'
  | 'resolve owed';

/**
 * Every transition there is; whatever is not here does not happen. A redo is no transition but a new generation. A late
 * proof (`settle done`) is taken wherever the call may have been made: an owed effect was sent before if it is a repeat.
 * Erased is what any effect becomes with its subject; nothing leads out of it.
 */
export const transitions: Readonly<Record<EffectState, Partial<Record<Step, EffectState>>>> = {
  owed: { claim: 'running', cancel: 'cancelled', supersede: 'superseded', 'settle done': 'done', erase: 'erased' },
  running: {
    'settle done': 'done',
    'settle dead': 'dead',
    'settle owed': 'owed',
    'settle unknown': 'unknown',
    expire: 'unknown',
    erase: 'erased',
  },
  unknown: { 'settle done': 'done', repeat: 'owed', hold: 'held', erase: 'erased' },
  held: {
    'settle done': 'done',
    'resolve done': 'done',
    'resolve dead': 'dead',
    'resolve owed': 'owed',
    erase: 'erased',
  },
  dead: { 'settle done': 'done', erase: 'erased' },
  cancelled: { 'settle done': 'done', erase: 'erased' },
  done: { erase: 'erased' },
  superseded: { erase: 'erased' },
  erased: {},
};
