import type { Expression } from '#libs/expressions';
import type { AskStep } from './ask';
import type { VideoStep } from './video';
import type { WriteStep } from './write';

/** A recipe that was read and found good. `version` names its content: equal content, equal version. */
export interface Recipe {
  id: string;
  version: string;
  /** Whose records it is for; those of all tenants where it does not say. */
  tenants?: readonly string[];
  trigger: RecipeTrigger;
  coolDownMs: number;
  video?: VideoStep;
  ask?: AskStep;
  writes: WriteStep[];
}

/** What sets a recipe off. */
export interface RecipeTrigger {
  object: string;
  on: string;
  property?: string;
  becomes?: readonly string[];
  when?: Expression;
}
