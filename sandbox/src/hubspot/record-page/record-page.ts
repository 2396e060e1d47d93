import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { objectOf } from '../../frame/json.ts';
import { VendorError } from '../../frame/server.ts';
import { escaped } from '../../frame/status-page.ts';
import type { Crm } from '../crm/crm.ts';
import { objectType } from '../crm/object-types.ts';
import type { Owner } from '../crm/owners.ts';
import type { CrmRecord } from '../crm/record-store.ts';
import type { FetchProxy } from './fetch-proxy.ts';

export interface RecordPages {
  crm: Crm;
  appId: number;
  user: Owner;
  proxy: FetchProxy;
  /** Where page, worker and card were built to; without it there is no page. */
  bundles?: string;
}

const TYPES = ['contacts', 'companies', 'deals'];
const FILES: Record<string, string> = {
  'page.js': 'text/javascript',
  'worker.js': 'text/javascript',
  'card.js': 'text/javascript',
  'page.css': 'text/css',
};

/** Pages that show a record and host the app's card, as HubSpot's record pages do. */
export function addRecordPages(app: FastifyInstance, pages: RecordPages): void {
  const { crm, proxy, bundles } = pages;
  app.get('/_sandbox/records', async (_request, reply) => html(reply, listOf(crm)));
  app.get('/_sandbox/records/:type/:id', async (request, reply) => {
    const { type = '', id = '' } = request.params as { type?: string; id?: string };
    const record = TYPES.includes(type) ? crm.records.find(objectType(type), id) : undefined;
    if (record === undefined) throw new VendorError(404, { error: `no such record: ${type}/${id}` });
    if (bundles === undefined) throw new VendorError(404, { error: 'no card was built: see RECORD_PAGE_DIR' });
    return html(reply, pageOf(record, pages));
  });
  app.get('/_sandbox/record-page/:file', async (request, reply) => {
    const { file = '' } = request.params as { file?: string };
    const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
    if (type === undefined || bundles === undefined) throw new VendorError(404, { error: `no such file: ${file}` });
    return reply.type(`${type}; charset=utf-8`).send(readFileSync(join(bundles, file)));
  });
  app.post('/_sandbox/hubspot-fetch', async (request, reply) => {
    const { status, body } = await proxy.fetch(objectOf(request.body));
    return reply.code(status).type('application/json').send(body);
  });
}

const html = (reply: FastifyReply, text: string): FastifyReply => reply.type('text/html; charset=utf-8').send(text);

const head = (title: string): string => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<link rel="stylesheet" href="/_sandbox/record-page/page.css"></head>`;

function listOf(crm: Crm): string {
  const items = TYPES.flatMap((name) =>
    [...crm.records.of(objectType(name)).values()]
      .filter(({ archivedAt }) => archivedAt === undefined)
      .map((record) => `<li><a href="/_sandbox/records/${name}/${record.id}">${escaped(titleOf(record))}</a></li>`),
  );
  return `${head('Records')}<body><h1>Records</h1><ul>${items.join('') || '<li>There is none yet.</li>'}</ul></body></html>`;
}

function titleOf({ type, id, properties }: CrmRecord): string {
  const names = ['firstname', 'lastname', 'name', 'dealname'].map((name) => properties.get(name));
  return `${type.singular} ${id}: ${names.filter(Boolean).join(' ')}`;
}

function pageOf(record: CrmRecord, { crm, appId, user }: RecordPages): string {
  const rows = [...record.properties]
    .sort()
    .map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`);
  return `${head(titleOf(record))}<body>
<aside class="stack"><h1>${escaped(titleOf(record))}</h1><dl>${rows.join('')}</dl></aside>
<main class="stack"><h2>Refrain</h2><div id="card" data-worker="/_sandbox/record-page/worker.js"
 data-card="/_sandbox/record-page/card.js" data-fetch="/_sandbox/hubspot-fetch"
 data-context="${escaped(JSON.stringify(contextOf(record, crm.portalId, appId, user)))}"></div></main>
<script src="/_sandbox/record-page/page.js"></script></body></html>`;
}

function contextOf({ type, id }: CrmRecord, portalId: number, appId: number, user: Owner): object {
  const { userId, email, firstName, lastName } = user;
  return {
    location: 'crm.record.tab',
    crm: { objectId: Number(id), objectTypeId: type.id },
    user: {
      id: userId,
      email,
      emails: [email],
      firstName,
      lastName,
      roles: [],
      teams: [],
      permissions: [],
      locale: 'en',
    },
    portal: { id: portalId, timezone: 'UTC' },
    extension: { appId, appName: 'Refrain', cardTitle: 'Refrain' },
  };
}
