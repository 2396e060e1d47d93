import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { refuse } from '../../frame/control.ts';
import { listOf, numberOf, objectOf, textOf } from '../../frame/json.ts';
import { adopt } from '../../frame/switches.ts';
import { VendorError } from '../../frame/server.ts';
import { invalid, missing } from '../errors.ts';
import type { Journal, JournalFile, JournalSubscription } from '../journal/journal.ts';
import { JOURNAL_ACTIONS, type JournalAction } from '../journal/journal-events.ts';

/** Where files of the journal are read, without a token: their links are signed. */
export const FILES = '/journal-files/';

const isAction = (value: unknown): value is JournalAction => JOURNAL_ACTIONS.some((one) => one === value);

export function addJournalRoutes(app: FastifyInstance, journal: Journal): void {
  for (const version of ['2026-03', '2026-09']) {
    addReading(app, journal, `/webhooks-journal/journal/${version}`);
    addSubscriptions(app, journal, `/webhooks-journal/subscriptions/${version}`);
  }
  app.get(`${FILES}:offset`, async (request) => {
    const { offset } = request.params as { offset: string };
    const { expires, signature } = objectOf(request.query);
    if (!journal.isSigned(offset, textOf(expires) ?? '', textOf(signature) ?? ''))
      throw new VendorError(403, 'Request has expired', { 'content-type': 'text/plain' });
    const file = journal.files.find((one) => one.offset === offset);
    if (file === undefined) throw new VendorError(404, 'no such file', { 'content-type': 'text/plain' });
    const { publishedAt, journalEvents } = file;
    return { offset, journalEvents, publishedAt: new Date(publishedAt).toISOString() };
  });
  addControl(app, journal);
}

function addReading(app: FastifyInstance, journal: Journal, root: string): void {
  const shown = (file: JournalFile | undefined, request: FastifyRequest, reply: FastifyReply): object => {
    if (file === undefined) return reply.code(204).send();
    const { query, expiresAt } = journal.signed(file.offset);
    const url = `http://${request.headers.host}${FILES}${file.offset}?${query}`;
    return { url, expiresAt: new Date(expiresAt).toISOString(), currentOffset: file.offset };
  };
  app.get(`${root}/earliest`, async (request, reply) => shown(journal.files[0], request, reply));
  app.get(`${root}/latest`, async (request, reply) => shown(journal.files.at(-1), request, reply));
  app.get(`${root}/offset/:offset/next`, async (request, reply) => {
    const { offset } = request.params as { offset: string };
    const at = journal.files.findIndex((file) => file.offset === offset);
    if (at < 0) throw missing(offset);
    return shown(journal.files[at + 1], request, reply);
  });
}

function addSubscriptions(app: FastifyInstance, journal: Journal, root: string): void {
  app.get(root, async () => ({ results: journal.subscriptions }));
  app.post(root, async (request) => {
    const body = objectOf(request.body);
    if (body['subscriptionType'] !== 'OBJECT') throw invalid('Invalid subscription type provided');
    const objectTypeId = textOf(body['objectTypeId']);
    const actions = listOf(body['actions']);
    if (objectTypeId === undefined || numberOf(body['portalId']) === undefined || actions.length === 0)
      throw invalid('objectTypeId, portalId and actions are required');
    if (!actions.every(isAction)) throw invalid(`actions must be of ${JOURNAL_ACTIONS.join(', ')}`);
    const properties = listOf(body['properties']).map(String);
    return journal.subscribe({ objectTypeId, actions, properties, objectIds: listOf(body['objectIds']).map(Number) });
  });
  const drop = (passes: (one: JournalSubscription) => boolean, what: string): void => {
    const left = journal.subscriptions.filter((one) => !passes(one));
    if (left.length === journal.subscriptions.length) throw missing(what);
    journal.subscriptions = left;
  };
  app.delete(`${root}/:id`, async (request, reply) => {
    const { id } = request.params as { id: string };
    drop((one) => String(one.id) === id, id);
    return reply.code(204).send();
  });
  app.delete(`${root}/portals/:portalId`, async (request, reply) => {
    const { portalId } = request.params as { portalId: string };
    drop((one) => String(one.portalId) === portalId, portalId);
    return reply.code(204).send();
  });
}

function addControl(app: FastifyInstance, journal: Journal): void {
  const shown = (): object => ({
    ...journal.switches,
    files: journal.files.map(({ offset, publishedAt, journalEvents }) => ({
      offset,
      publishedAt: new Date(publishedAt).toISOString(),
      events: journalEvents.length,
    })),
  });
  app.get('/_sandbox/journal', async () => shown());
  app.put('/_sandbox/journal', async (request, reply) => {
    const problem = adopt(journal.switches, objectOf(request.body));
    return problem === undefined ? shown() : refuse(reply, problem);
  });
  app.post('/_sandbox/journal/files', async () => {
    journal.write();
    return shown();
  });
}
