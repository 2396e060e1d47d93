import type { Answer, Replacement, VideoOptions } from '#libs/contracts';

/** A video made from a template. `callbackId` comes back in the callback; the `title` holds it in brackets, where it can be searched for. */
export interface TemplateVideo {
  template: string;
  title: string;
  callbackId: string;
  /** What fills those variables of the template that are text. */
  variables: Record<string, string>;
  /** What fills the others. */
  replacements?: Record<string, Replacement>;
  options?: VideoOptions;
}

/** A video as its vendor reports it. Any status that is neither of the two ends means that it is still being made. */
export interface VideoState {
  videoId: string;
  status: 'completed' | 'failed' | 'processing' | 'in-progress';
  /** Where it can be seen, for as long as the vendor signs it. */
  url?: string;
  thumbnailUrl?: string;
  captionsUrl?: string;
  /** Seconds. */
  duration?: number;
  code?: string;
  message?: string;
}

/** A variable that a template needs to be given, and what fills it: `text`, `image`, `voice`, …, where the vendor says. */
export interface TemplateVariable {
  name: string;
  type?: string;
}

/** A template as it is now: what it needs to be given, and its width and height as `16:9`, where the vendor says. */
export interface VideoTemplate {
  variables: TemplateVariable[];
  aspectRatio?: string;
}

/** What is asked of whoever makes videos. Never throws: every answer is sorted. */
export interface VideoVendor {
  /**
   * Orders a video. `isRepeat`: an earlier call of the same order may have been obeyed; then it is looked for, and what is
   * found is no second one.
   */
  submit(
    order: TemplateVideo,
    call: { idempotencyKey: string; isRepeat: boolean },
    signal: AbortSignal,
  ): Promise<Answer<{ videoId: string }>>;
  /** Asks what became of a video. */
  status(videoId: string, signal: AbortSignal): Promise<Answer<VideoState>>;
  /** Looks for a video by what its title holds; `undefined` where there is none. */
  find(titlePart: string, signal: AbortSignal): Promise<Answer<{ videoId: string } | undefined>>;
  template(id: string, signal: AbortSignal): Promise<Answer<VideoTemplate>>;
  /** Deletes a video for good; one that is gone already is deleted. */
  remove(videoId: string, signal: AbortSignal): Promise<Answer<void>>;
}
