import type { FastifyInstance, FastifyRequest } from 'fastify';
import { objectOf, textOf, type JsonObject } from '../frame/json.ts';
import { failed } from './errors.ts';
import type { AssetLinks } from './renders/asset-links.ts';
import type { Render, RenderStore } from './renders/render-store.ts';
import { TINY_PNG, tinyMp4 } from './renders/tiny-mp4.ts';
import { pageOf } from './webhooks/endpoint-routes.ts';

/** A video as version 3 shows it; a waiting one is called pending there. */
export function shownVideo(render: Render, links: AssetLinks): JsonObject {
  const done = render.status === 'completed';
  return {
    id: render.id,
    status: render.status === 'waiting' ? 'pending' : render.status,
    title: render.title,
    created_at: render.createdAt,
    completed_at: render.completedAt,
    duration: render.duration,
    video_url: done ? links.link(render, '1280x720.mp4') : null,
    thumbnail_url: done ? links.link(render, 'thumbnail.png') : null,
    captioned_video_url: null,
    subtitle_url: done && render.options['caption'] === true ? links.link(render, 'captions.srt') : null,
    gif_url: null,
    video_page_url: done ? links.page(render) : null,
    folder_id: render.folderId,
    output_language: null,
    failure_code: render.failureCode,
    failure_message: render.failureMessage,
  };
}

export function addVideoRoutes(app: FastifyInstance, store: RenderStore, links: AssetLinks): void {
  const find = (request: FastifyRequest): Render => {
    const found = store.renders.get(textOf(objectOf(request.params)['id']) ?? '');
    if (found === undefined) throw failed('video_not_found', 'Video not found');
    return found;
  };
  app.get('/v3/videos', async (request) => {
    const query = objectOf(request.query);
    const [title, folder] = [textOf(query['title']), textOf(query['folder_id'])];
    const hits = store
      .newestFirst()
      .filter((render) => (!title || render.title.includes(title)) && (!folder || render.folderId === folder));
    const { data, ...page } = pageOf(hits, query);
    return { data: (data as Render[]).map((render) => shownVideo(render, links)), ...page };
  });
  app.get('/v3/videos/statuses', async (request) => {
    const ids = [objectOf(request.query)['video_ids']].flat().flatMap((part) => String(part ?? '').split(','));
    const rows = ids.filter((id) => id !== '').map((id) => ({ id, render: store.renders.get(id) }));
    if (rows.length > 100) throw failed('invalid_parameter', 'At most 100 ids', 'video_ids');
    const data = rows.map(({ id, render }) =>
      render ? { video_id: id, ...shownVideo(render, links) } : { video_id: id, id, status: 'not_found' },
    );
    return { data };
  });
  app.get('/v3/videos/:id', async (request) => ({ data: shownVideo(find(request), links) }));
  app.delete('/v3/videos/:id', async (request) => {
    const { id } = find(request);
    store.renders.delete(id);
    return { data: { id } };
  });
  app.get('/assets/:id/:file', async (request, reply) => {
    links.admit(request.url.split('?')[0] ?? '', objectOf(request.query));
    const { file } = request.params as { file: string };
    const render = find(request);
    if (file.endsWith('.srt'))
      return reply.type('application/x-subrip').send('1\n00:00:00,000 --> 00:00:02,000\nHello\n');
    if (file.endsWith('.png')) return reply.type('image/png').send(TINY_PNG);
    return reply.type('video/mp4').send(tinyMp4(render.duration ?? 1));
  });
  app.get('/share/:id', async (request, reply) => {
    const { id } = find(request);
    return reply.type('text/html').send(`<!doctype html><title>Video ${id}</title><p>Video ${id}</p>`);
  });
  app.get('/v3/users/me', async () => ({
    data: {
      username: 'sandbox',
      email: 'ada@example.com',
      first_name: 'Ada',
      last_name: 'Example',
      billing_type: 'wallet',
      wallet: { currency: 'usd', remaining_balance: store.settings.walletUsd },
    },
  }));
}
