// The worker that a card lives in, as HubSpot's: React and the remote tree are the worker's, the card brings the rest.
import { createRemoteRoot, type RemoteChannel } from '@remote-ui/core';
import * as RemoteUI from '@remote-ui/react';
import { createEndpoint, type MessageEndpoint, retain } from '@remote-ui/rpc';
import * as React from 'react';
import type { Asked, CardWorker, Page } from './protocol';

type Extension = (api: { context: object; actions: object }) => React.ReactElement;
type Options = Omit<Asked, 'url' | 'headers'> & { headers?: Headers | Record<string, string> };

const scope = self as unknown as MessageEndpoint & { importScripts(url: string): void };
const page = createEndpoint<Page>(scope);
let extension: Extension | undefined;

Object.assign(self, {
  __HUBSPOT_EXTENSION_WORKER__: true,
  React,
  RemoteUI,
  logger: console,
  extend_V2: (given: Extension) => {
    extension = given;
  },
  hsFetch: async (url: string | URL, { headers, ...options }: Options = {}) => {
    const plain = headers && Object.fromEntries(new Headers(headers));
    const { status, body } = await page.call.fetch({ url: String(url), ...options, ...(plain && { headers: plain }) });
    return new Response(body === '' ? null : body, { status });
  },
  // A card reaches the outside by hubspot.fetch alone.
  fetch: () => Promise.reject(new TypeError('cards use hubspot.fetch')),
});

const start = (channel: RemoteChannel, context: object, card: string): void => {
  retain(channel);
  scope.importScripts(card);
  if (extension === undefined) throw new Error('the card called no hubspot.extend');
  const act =
    (_: unknown, action: string) =>
    (...args: unknown[]) =>
      void page.call.act(action, args);
  const root = createRemoteRoot(channel);
  RemoteUI.createRoot(root).render(extension({ context, actions: new Proxy({}, { get: act }) }));
  void root.mount();
};

page.expose({ start } satisfies CardWorker);
