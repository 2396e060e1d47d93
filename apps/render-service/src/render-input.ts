import type { Fate, HeygenCallback, VideoCopy } from '#libs/contracts';
import type { Properties, Recipe, StepDue, VideoStep, Written } from '#libs/recipes';
import type { RenderAgain } from './again.decider';
import type { LinkOf } from './video-links';

/** How a call ended; `answer` is the adapter's, `message` what the vendor said of its refusal. */
export type Ended<T> =
  { state: 'done'; answer: T } | { state: 'dead' | 'held' | 'erased' | 'superseded'; code: string; message?: string };

/** What a stream of renders is told. */
export type RenderInput =
  | { type: 'triggered'; trigger: VideoDue }
  | {
      type: 'read';
      rootCause: string;
      recipe: Recipe | undefined;
      streamId: string;
      purpose: string;
      at: string;
      ended: Ended<ReadRecord>;
    }
  | {
      type: 'generated';
      rootCause: string;
      generation: number;
      at: string;
      ended: Ended<{ videoId: string }>;
      /** A budget holds what it is thought to cost. */
      reserved?: boolean;
    }
  | { type: 'called-back'; callback: HeygenCallback; generation: number; at: string; render?: number; link?: LinkOf }
  | { type: 'claimed'; claim: string; videoId?: string; render?: number }
  /** `ask` is which time HeyGen is asked, from 1. */
  | { type: 'overdue'; rootCause: string; generation: number; ask?: number }
  /** Time to place the order behind the one that failed, of that generation. */
  | { type: 'again'; render: number; generation: number; streamId: string }
  /** Time to withdraw once more what waits for a record that is gone. */
  | { type: 'withdraw' }
  | {
      type: 'status-read';
      rootCause: string;
      at: string;
      ended: Ended<VideoState>;
      purpose: string;
      link?: LinkOf;
      /** What the video cost, in US dollars, where its length is known. */
      usd?: number;
    }
  | { type: 'copied'; rootCause: string; at: string; ended: Ended<VideoCopy> }
  /** Time to delete a copy once more. */
  | { type: 'remove-again'; render: number }
  /** What was to be deleted is, or not. */
  | { type: 'removed' }
  /** An operator erased what the hub holds of the record. */
  | { type: 'subject-erased' }
  | { type: 'asked'; ask: RenderAgain }
  | { type: 'followed'; fate: Fate }
  | { type: 'written'; value: Written['value'] };

/** A video that is to be made, and what it follows. */
export type VideoDue = StepDue<VideoStep>;

interface ReadRecord {
  properties: Properties;
  modifiedAt: string;
}

/** How HeyGen says that a video stands. */
export interface VideoState {
  videoId: string;
  status: 'completed' | 'failed' | 'processing' | 'in-progress';
  url?: string;
  /** Seconds. */
  duration?: number;
  code?: string;
  message?: string;
}
