import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { activeTraceparent, noteOnRequest, Problem } from '#libs/platform';
import { bodyOf, headerOf } from '../http';
import { Ingress, type Accepted } from '../ingress';
import { Tenants } from '../tenants';
import { sortEvents } from './events';
import { VerifiedRequest } from './signature';

/** What the HubSpot door needs to know. */
export class HubspotDoor {
  constructor(
    readonly publicUrl: string,
    readonly clientSecret: string,
  ) {}
}

@Controller('webhooks/hubspot')
export class HubspotController {
  constructor(
    @Inject(HubspotDoor) private readonly door: HubspotDoor,
    @Inject(Tenants) private readonly tenants: Tenants,
    @Inject(Ingress) private readonly ingress: Ingress,
  ) {}

  @Post()
  @HttpCode(200)
  async receive(@Req() request: FastifyRequest): Promise<Accepted> {
    const verified = VerifiedRequest.verify(
      {
        method: request.method,
        // The address that vendors call, not the one this process listens on: a proxy stands between.
        url: this.door.publicUrl + (request.raw.url ?? ''),
        body: bodyOf(request),
        signature: headerOf(request, 'x-hubspot-signature-v3'),
        timestamp: headerOf(request, 'x-hubspot-request-timestamp'),
      },
      this.door.clientSecret,
      Date.now(),
    );
    const reception = { time: new Date().toISOString(), traceparent: activeTraceparent() };
    const { records, accepted, quarantined, faults } = sortEvents(verified, this.tenants, reception);
    noteOnRequest(request, { accepted, quarantined });
    await this.ingress.accept(records);
    if (faults.length > 0 && faults.length === records.length) throw new Problem('wrong-shape', { errors: faults });
    return { accepted, quarantined };
  }
}
