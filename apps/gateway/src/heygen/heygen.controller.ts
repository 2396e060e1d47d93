import { Controller, HttpCode, Inject, Options, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { activeTraceparent, noteOnRequest, Problem } from '#libs/platform';
import { bodyOf, headerOf } from '../http';
import { Ingress, type Accepted } from '../ingress';
import { sortCallback } from './callback';
import { VerifiedCallback } from './signature';

/** What the HeyGen door needs to know. */
export class HeygenDoor {
  constructor(readonly secret: string) {}
}

/** HeyGen has changed the name of its header twice; the first that is there counts, and no other is tried after it. */
const signatureHeaders = ['heygen-signature', 'signature', 'x-heygen-signature'];

@Controller('webhooks/heygen')
export class HeygenController {
  constructor(
    @Inject(HeygenDoor) private readonly door: HeygenDoor,
    @Inject(Ingress) private readonly ingress: Ingress,
  ) {}

  /** HeyGen asks so, with a limit of one second, whether an endpoint exists before it registers it. */
  @Options()
  @HttpCode(200)
  exists(): void {}

  @Post()
  @HttpCode(200)
  async receive(@Req() request: FastifyRequest): Promise<Accepted> {
    const signature = signatureHeaders.map((name) => headerOf(request, name)).find((value) => value !== undefined);
    const timestamp = headerOf(request, 'heygen-timestamp');
    const verified = VerifiedCallback.verify(
      { body: bodyOf(request), signature, timestamp },
      this.door.secret,
      Date.now(),
    );
    const { record, quarantined, fault } = sortCallback(verified, {
      time: new Date().toISOString(),
      traceparent: activeTraceparent(),
      eventId: headerOf(request, 'heygen-event-id'),
    });
    noteOnRequest(request, { quarantined });
    await this.ingress.accept([record]);
    if (fault !== undefined) throw new Problem('wrong-shape', { errors: [{ at: '', detail: fault }] });
    return quarantined ? { accepted: 0, quarantined: 1 } : { accepted: 1, quarantined: 0 };
  }
}
