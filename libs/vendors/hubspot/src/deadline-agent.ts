import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent as HttpAgent, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

const deadline = new AsyncLocalStorage<AbortSignal>();

/** Runs an SDK call whose requests are really cut when `signal` aborts: the SDK itself knows no time-outs. */
export const withDeadline = <T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> => deadline.run(signal, call);

interface WithAddRequest {
  addRequest(request: ClientRequest, options: object): void;
}

/** A keep-alive agent whose requests end with the deadline of the call that made them. */
export function deadlineAgent(baseUrl: string): HttpAgent | HttpsAgent {
  const agent =
    new URL(baseUrl).protocol === 'http:' ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true });
  // `addRequest` is where Node hands every request to its agent; agents of other libraries rely on it too.
  const plain = agent as unknown as WithAddRequest;
  const addRequest = plain.addRequest.bind(agent);
  plain.addRequest = (request, options) => {
    const signal = deadline.getStore();
    if (signal) {
      const cut = () => void request.destroy(new DOMException('The deadline has passed', 'TimeoutError'));
      if (signal.aborted) cut();
      signal.addEventListener('abort', cut, { once: true });
      request.once('close', () => signal.removeEventListener('abort', cut));
    }
    addRequest(request, options);
  };
  return agent;
}
