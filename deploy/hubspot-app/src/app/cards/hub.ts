import { hubspot } from '@hubspot/ui-extensions';
import { type Answer, isAnswer, type RecordId } from './answer';
import { GATEWAY } from './gateway';

/** The hub, or HubSpot on the way to it, did not do what was asked; the message is for people. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}

/** What the hub knows of a record. Rejects with a Refusal. */
export async function look(record: RecordId): Promise<Answer> {
  const body = await ask(pathOf(record), { method: 'GET' });
  if (isAnswer(body)) return body;
  throw new Refusal('The answer was cut short on its way, or is no answer of Refrain.');
}

/** Asks for a render after the one that the person saw: asked twice, by whoever, it makes one. Rejects with a Refusal. */
export async function renderAgain(record: RecordId, recipe: string, after: number): Promise<void> {
  await ask(`${pathOf(record)}/renders`, { method: 'POST', body: { recipe, after } });
}

const pathOf = ({ type, id }: RecordId) => `/cards/hubspot/${type}/${encodeURIComponent(id)}`;

interface Call {
  method: 'GET' | 'POST';
  body?: Record<string, unknown>;
}

async function ask(path: string, call: Call): Promise<unknown> {
  const response = await hubspot.fetch(`${GATEWAY}${path}`, { ...call, timeout: 15_000 }).catch(() => {
    throw new Refusal('Refrain could not be reached.');
  });
  const body = (await response.json().catch(() => undefined)) as unknown;
  if (response.ok && !isProxysError(body)) return body;
  throw refusalOf(response.status, isProxysError(body) ? parsed(body.responseBody) : body);
}

/** HubSpot's proxy wraps what the hub refused with, and may call the whole a success. */
function isProxysError(body: unknown): body is { status: 'error'; responseBody?: unknown } {
  return typeof body === 'object' && body !== null && 'status' in body && body.status === 'error';
}

function parsed(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function refusalOf(status: number, problem: unknown): Refusal {
  const { code, title, detail } = (typeof problem === 'object' && problem !== null ? problem : {}) as Partial<
    Record<'code' | 'title' | 'detail', unknown>
  >;
  const said = [detail, title].find((text): text is string => typeof text === 'string' && text !== '');
  return new Refusal(said ?? inWords(status), typeof code === 'string' ? code : undefined);
}

const inWords = (status: number): string =>
  status === 429
    ? 'Too much is asked of Refrain at once. It will answer in a moment.'
    : 'Refrain did not answer as it should.';
