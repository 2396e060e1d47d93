import { Controller, Get, Inject, type OnApplicationShutdown, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type LinkRead, NotBuilt, StoreUnavailable } from '#libs/event-store';
import { noteOnRequest } from '#libs/platform';
import { PAGE_HEADERS, showPage } from '../page';
import type { Fresh } from './fresh-urls';
import { noVideoPage } from './link-page';

/** What the door of stable links needs: which video an id stands for, and where that video is. */
export interface Links {
  read: (id: string) => Promise<LinkRead | undefined>;
  fresh: (videoId: string) => Promise<Fresh>;
  /** An address of a copy, for a while; absent where this gateway reaches none. */
  kept?: (copy: NonNullable<LinkRead['copy']>) => Promise<string>;
  close: () => Promise<void>;
}

/** Leads stable links to videos; without {@link Links} to none. */
export class LinkDoor implements OnApplicationShutdown {
  constructor(private readonly links: Links | undefined) {}

  /** What stands for nothing is refused before HeyGen is asked; what has no shape of an id, before the database is. */
  async lead(id: string): Promise<Fresh | { is: 'unknown' | 'off' }> {
    if (!this.links) return { is: 'off' };
    if (!/^[\w-]{22}$/.test(id)) return { is: 'unknown' };
    try {
      const link = await this.links.read(id);
      if (!link) return { is: 'unknown' };
      if (link.copy && this.links.kept) return { is: 'there', url: await this.links.kept(link.copy) };
      return await this.links.fresh(link.videoId);
    } catch (error) {
      const isAway = error instanceof NotBuilt || error instanceof StoreUnavailable;
      if (isAway) return { is: 'away', retryAfterSeconds: RETRY_AFTER_SECONDS };
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.links?.close();
  }
}

const RETRY_AFTER_SECONDS = 5;

/** Where people see videos by a link that does not end: the id in it is the only thing that lets them. */
@Controller('v')
export class LinkController {
  constructor(@Inject(LinkDoor) private readonly door: LinkDoor) {}

  @Get(':id')
  async see(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const led = await this.door.lead(id);
    void reply.headers({ ...PAGE_HEADERS, 'x-robots-tag': 'noindex, nofollow' });
    if (led.is === 'there') {
      void reply.status(302).header('location', led.url).send();
      return;
    }
    noteOnRequest(request, { video: led.is });
    if (led.is === 'away') void reply.header('retry-after', String(led.retryAfterSeconds));
    showPage(reply, noVideoPage(led.is));
  }
}
