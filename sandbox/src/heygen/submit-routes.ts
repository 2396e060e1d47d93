import type { FastifyInstance, FastifyRequest } from 'fastify';
import { objectOf, textOf, type JsonObject } from '../frame/json.ts';
import { VendorError } from '../frame/server.ts';
import { asVersion2, failed, invalid } from './errors.ts';
import type { AssetLinks } from './renders/asset-links.ts';
import type { IdempotencyKeys } from './renders/idempotency.ts';
import type { Render, RenderStore } from './renders/render-store.ts';
import { checkOptions, checkVariables } from './order-checks.ts';
import { detailedTemplate, listedTemplate, type Template, type Templates } from './templates.ts';
import { shownVideo } from './video-routes.ts';
import type { CallbackSender } from './webhooks/callback-sender.ts';
import { pageOf } from './webhooks/endpoint-routes.ts';

export interface Submitting {
  templates: Templates;
  store: RenderStore;
  sender: CallbackSender;
  links: AssetLinks;
  keys: IdempotencyKeys;
}

const find = (templates: Templates, request: FastifyRequest): Template => {
  const found = templates.all.get(textOf(objectOf(request.params)['id']) ?? '');
  if (found === undefined) throw failed('not_found', 'Template not found');
  return found;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Accepts a render at once and charges it; only the answer takes `submitMs`. */
async function submit(
  { store, sender }: Submitting,
  request: FastifyRequest,
  templateId: string | null,
  variables: JsonObject,
  key: string | null,
): Promise<Render> {
  const body = objectOf(request.body);
  const render = store.accept({ templateId, body, variables, idempotencyKey: key });
  if (request.call) request.call.billed = render.priceUsd > 0;
  if (sender.switches.early) {
    store.finish(render, false);
    await sender.tellNow(render);
  }
  await pause(store.settings.submitMs);
  return render;
}

export function addSubmitRoutes(app: FastifyInstance, parts: Submitting): void {
  const { templates, store, links, keys } = parts;
  app.get('/v3/templates', async (request) => {
    const { data, ...page } = pageOf([...templates.all.values()], objectOf(request.query));
    return { data: (data as Template[]).map(listedTemplate), ...page };
  });
  for (const path of ['/v3/templates/:id', '/v3/template/:id'])
    app.get(path, async (request) => ({ data: detailedTemplate(find(templates, request)) }));
  app.post('/v3/templates/:id', async (request) => {
    const header = request.headers['idempotency-key'];
    const key = textOf(Array.isArray(header) ? header[0] : header);
    const { answer } = await keys.once(request.call?.path ?? request.url, key, async () => {
      const template = find(templates, request);
      const body = objectOf(request.body);
      const variables = checkVariables(template, body['variables']);
      checkOptions(template, body);
      const render = await submit(parts, request, template.id, variables, key ?? null);
      return { data: { ...shownVideo(render, links), ...asAccepted() } };
    });
    if (request.call) request.call.billed ??= false;
    return answer;
  });
  addVersion2(app, parts);
  addVersion1(app, store);
  app.get('/v1/video_status.get', async (request) => {
    const render = store.renders.get(textOf(objectOf(request.query)['video_id']) ?? '');
    if (render === undefined)
      throw new VendorError(404, { code: 400569, message: 'heygen_video not found', data: null });
    const { id, duration, video_url, thumbnail_url, created_at } = shownVideo(render, links);
    const error =
      render.failureCode === null
        ? null
        : { code: render.failureCode, detail: render.failureMessage, message: render.failureMessage };
    const data = { id, status: render.status, duration, video_url, thumbnail_url, created_at, error };
    return { code: 100, data: { ...data, gif_url: null, callback_id: render.callbackId }, message: 'Success' };
  });
}

/** Videos of version 1, for who finds lost ones by their titles there. */
function addVersion1(app: FastifyInstance, store: RenderStore): void {
  app.get('/v1/video.list', async (request) => {
    const query = objectOf(request.query);
    const title = textOf(query['title']) ?? '';
    const { data, next_token } = pageOf(
      store.newestFirst().filter((render) => render.title.includes(title)),
      query,
    );
    const videos = (data as Render[]).map(({ id, title: video_title, status, createdAt }) => ({
      ...{ video_id: id, video_title, status, created_at: createdAt, type: 'GENERATED' },
    }));
    return { code: 100, data: { videos, token: next_token }, message: 'Success' };
  });
  app.delete('/v1/video.delete', async (request) => {
    const id = textOf(objectOf(request.query)['video_id']) ?? '';
    if (!store.renders.delete(id)) throw new VendorError(404, { code: 400569, message: 'video not found', data: null });
    return { code: 100, data: null, message: 'Success' };
  });
}

/** What a fresh submission shows, however far the render has come meanwhile. */
const asAccepted = (): JsonObject => ({
  status: 'waiting',
  completed_at: null,
  duration: null,
  video_url: null,
  thumbnail_url: null,
  video_page_url: null,
});

const SUNSET = { Deprecation: 'true', Sunset: 'Sat, 31 Oct 2026 00:00:00 GMT' };

function addVersion2(app: FastifyInstance, parts: Submitting): void {
  const { templates } = parts;
  const worded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof VendorError ? asVersion2(error) : error;
    }
  };
  app.get('/v2/templates', async (_request, reply) => {
    const listed = [...templates.all.values()].map(({ id, name }) => ({
      template_id: id,
      name,
      thumbnail_image_url: null,
    }));
    return reply.headers(SUNSET).send({ error: null, data: { templates: listed } });
  });
  app.get('/v2/template/:id', async (request, reply) =>
    worded(async () => {
      const template = find(templates, request);
      if (template.variables.size === 0) throw invalid(`Template ${template.id} has no variable set.`, 'template_id');
      return reply.headers(SUNSET).send({ error: null, data: { variables: detailedTemplate(template)['variables'] } });
    }),
  );
  app.post('/v2/template/generate', async () => {
    throw new VendorError(405, { error: 'Method Not Allowed', data: null });
  });
  app.post('/v2/template/:id/generate', async (request, reply) =>
    worded(async () => {
      const template = find(templates, request);
      const { subtitles: _, ...body } = objectOf(request.body);
      const variables = checkVariables(template, body['variables']);
      checkOptions(template, body);
      const render = await submit(parts, request, template.id, variables, null);
      return reply.headers(SUNSET).send({ error: null, data: { video_id: render.id } });
    }),
  );
  app.post('/v2/video/generate', async (request, reply) =>
    worded(async () => {
      const body = objectOf(request.body);
      if (body['template_id'] !== undefined) throw invalid('template_id is not a parameter here', 'template_id');
      if (!Array.isArray(body['video_inputs'])) throw invalid('video_inputs is required', 'video_inputs');
      const render = await submit(parts, request, null, {}, null);
      return reply.headers(SUNSET).send({ error: null, data: { video_id: render.id } });
    }),
  );
}
