import { Controller, HttpCode, Inject, Options, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { noteOnRequest } from '#libs/platform';
import type { HeygenConnection } from '../connections';
import { inboundOf } from '../http';
import { Ingress, receptionNow, type Accepted } from '../ingress';
import { takeOne } from '../minute-cap';
import { sortCallback } from './callback';
import { VerifiedCallback } from './signature';

/** What the HeyGen door needs to know. */
export class HeygenDoor {
  constructor(
    readonly publicUrl: string,
    readonly connections: readonly HeygenConnection[],
  ) {}
}

@Controller('webhooks/heygen')
export class HeygenController {
  constructor(
    @Inject(HeygenDoor) private readonly door: HeygenDoor,
    @Inject(Ingress) private readonly ingress: Ingress,
  ) {}

  /** HeyGen asks so, with a limit of one second, whether an endpoint exists before it registers it. */
  @Options(['', ':token'])
  @HttpCode(200)
  exists(): void {}

  @Post()
  @HttpCode(200)
  receive(@Req() request: FastifyRequest): Promise<Accepted> {
    const inbound = inboundOf(request, this.door.publicUrl);
    return this.take(VerifiedCallback.verify(inbound, this.door.connections, Date.now()), request);
  }

  /** The `callback_url` of a single order, which HeyGen does not sign. */
  @Post(':token')
  @HttpCode(200)
  claim(@Req() request: FastifyRequest, @Param('token') token: string): Promise<Accepted> {
    const inbound = inboundOf(request, this.door.publicUrl);
    return this.take(VerifiedCallback.claim(inbound, token, this.door.connections), request);
  }

  private async take(verified: VerifiedCallback, request: FastifyRequest): Promise<Accepted> {
    const [{ cap, connection }] = verified.connections;
    takeOne(cap);
    const { record, quarantined, fault } = sortCallback(verified, receptionNow());
    noteOnRequest(request, { connection, quarantined, ignored: !record });
    if (!record) return { accepted: 0, quarantined: 0, ignored: 1 };
    await this.ingress.accept([record]);
    if (fault) throw fault;
    return quarantined ? { accepted: 0, quarantined: 1 } : { accepted: 1, quarantined: 0 };
  }
}
