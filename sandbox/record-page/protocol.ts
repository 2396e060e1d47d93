import type { RemoteChannel } from '@remote-ui/core';

/** What `hubspot.fetch` was called with. */
export interface Asked {
  url: string;
  method?: string;
  timeout?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Answered {
  status: number;
  body: string;
}

/** What the page does for the card. */
export interface Page {
  fetch(asked: Asked): Promise<Answered>;
  act(action: string, args: unknown[]): void;
}

/** What the worker does for the page: the channel carries what the card shows. */
export interface CardWorker {
  start(channel: RemoteChannel, context: object, card: string): void;
}
