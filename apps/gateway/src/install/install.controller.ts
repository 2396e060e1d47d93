import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Page, PAGE_HEADERS, showPage } from '../page';
import { CONSENT_MS, InstallDoor } from './install';
import { installedPage, refusedPage } from './page';
import { Refusal } from './refusal';

const COOKIE = 'refrain_install';
const PATH = '/oauth/hubspot';

type Query = Record<string, unknown>;

/** Where customers install a tenant's HubSpot app: a person in a browser, not a vendor. */
@Controller('oauth/hubspot')
export class InstallController {
  constructor(@Inject(InstallDoor) private readonly door: InstallDoor) {}

  @Get('install')
  async install(@Query() query: Query, @Res() reply: FastifyReply): Promise<void> {
    await showing(reply, async () => {
      const { location, cookie } = await this.door.begin(textIn(query, 'tenant'));
      this.keep(reply, cookie, CONSENT_MS / 1_000);
      void reply.status(302).header('location', location).send();
      return undefined;
    });
  }

  @Get('callback')
  async callback(@Query() query: Query, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const cookie = cookieIn(request);
    // Whatever comes of it: what was begun is over.
    this.keep(reply, '', 0);
    await showing(reply, async () => {
      const back = { code: textIn(query, 'code'), state: textIn(query, 'state'), error: textIn(query, 'error') };
      return installedPage(await this.door.finish(back, cookie));
    });
  }

  private keep(reply: FastifyReply, value: string, seconds: number): void {
    const secure = this.door.isSecure ? '; Secure' : '';
    const cookie = `${COOKIE}=${value}; Path=${PATH}; Max-Age=${String(seconds)}; HttpOnly; SameSite=Lax${secure}`;
    void reply.header('set-cookie', cookie);
  }
}

/** Shows what comes of it; a refusal is shown too. */
async function showing(reply: FastifyReply, work: () => Promise<Page | undefined>): Promise<void> {
  // What stands in these addresses is nobody else's.
  void reply.headers(PAGE_HEADERS);
  const page = await work().catch((error: unknown) => {
    if (error instanceof Refusal) return refusedPage(error);
    throw error;
  });
  if (page) showPage(reply, page);
}

const cookieIn = ({ headers }: FastifyRequest): string | undefined =>
  (headers.cookie ?? '')
    .split(';')
    .map((one) => one.trim().split('='))
    .find(([name]) => name === COOKIE)?.[1];

/** A text of the query; one that is given twice is none. */
const textIn = (query: Query, name: string): string | undefined => {
  const value = query[name];
  return typeof value === 'string' ? value : undefined;
};
