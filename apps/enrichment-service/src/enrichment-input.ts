import type { RecordRef } from '#libs/contracts';
import type { AskStep, Properties, Recipe, StepDue, Told } from '#libs/recipes';

/** How a call ended; `answer` is the adapter's. */
export type Ended<T> = { state: 'done'; answer: T } | { state: 'dead' | 'held' | 'superseded'; code: string };

/** A question that is to be asked, and what it follows. */
export type AskDue = StepDue<AskStep>;

export interface ReadRecord extends Told {
  properties: Properties;
}

export interface Reply {
  finish: 'stop' | 'refusal' | 'length' | 'content_filter';
  content: string;
  model: string;
  tokens: { input: number; output: number };
  /** Places of what it says that nothing in what it was told bears out; those of fields that must be. */
  unsupported?: string[];
}

/** What the model says that a part of a text says; empty where it said nothing that can be used. */
export interface Summary extends Omit<Reply, 'content' | 'unsupported'> {
  summary: string;
}

export type EnrichmentInput =
  | { type: 'triggered'; trigger: AskDue }
  | { type: 'read'; rootCause: string; recipe: Recipe | undefined; purpose: string; ended: Ended<ReadRecord> }
  | {
      type: 'summarised';
      rootCause: string;
      recipe: Recipe | undefined;
      record: RecordRef;
      purpose: string;
      ended: Ended<Summary>;
    }
  | {
      type: 'answered';
      rootCause: string;
      recipe: Recipe | undefined;
      record: RecordRef;
      purpose: string;
      at: string;
      ended: Ended<Reply>;
    };
