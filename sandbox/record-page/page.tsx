// A record page that hosts a card as HubSpot's does: the card runs in a worker, the page shows what it is told to.
import { createController, createRemoteReceiver, RemoteRenderer } from '@remote-ui/react/host';
import { createEndpoint, fromWebWorker } from '@remote-ui/rpc';
import { createRoot } from 'react-dom/client';
import { closeOverlay, components } from './components';
import type { Answered, Asked, CardWorker, Page } from './protocol';

const place = document.getElementById('card') as HTMLElement;
const context = JSON.parse(place.dataset['context'] ?? '{}') as object;
const { worker: runtime = '', card = '', fetch: proxy = '' } = place.dataset;

const worker = new Worker(runtime);
worker.addEventListener('error', ({ message }) => {
  place.textContent = `The card failed: ${message}`;
});
const endpoint = createEndpoint<CardWorker>(fromWebWorker(worker), { callable: ['start'] });
endpoint.expose({
  fetch: async (asked: Asked): Promise<Answered> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(proxy, { method: 'POST', headers, body: JSON.stringify(asked) });
    return { status: response.status, body: await response.text() };
  },
  act: (action: string, [first]: unknown[]) => {
    if (action === 'closeOverlay') closeOverlay(String(first));
    else console.warn(`this page does not do the action ${action}`);
  },
} satisfies Record<keyof Page, unknown>);

const receiver = createRemoteReceiver();
const controller = createController(components);
createRoot(place).render(<RemoteRenderer receiver={receiver} controller={controller} />);
endpoint.call.start(receiver.receive, context, card).catch((error: unknown) => {
  place.textContent = `The card failed: ${String(error)}`;
});
