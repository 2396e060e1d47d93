import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { noteOnRequest, Problem } from '#libs/platform';
import type { HubspotConnection } from '../connections';
import { inboundOf } from '../http';
import { Ingress, receptionNow, type Accepted } from '../ingress';
import { takeOne } from '../minute-cap';
import { isWorkflowCall, sortRequest } from './events';
import { VerifiedRequest } from './signature';

/** What the HubSpot door needs to know. */
export class HubspotDoor {
  constructor(
    readonly publicUrl: string,
    readonly connections: readonly HubspotConnection[],
  ) {}
}

@Controller('webhooks/hubspot')
export class HubspotController {
  constructor(
    @Inject(HubspotDoor) private readonly door: HubspotDoor,
    @Inject(Ingress) private readonly ingress: Ingress,
  ) {}

  @Post()
  @HttpCode(200)
  async receive(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Accepted> {
    const verified = VerifiedRequest.verify(inboundOf(request, this.door.publicUrl), this.door.connections, Date.now());
    try {
      return await this.take(verified, request);
    } catch (error) {
      if (error instanceof Problem && isWorkflowCall(verified)) inMilliseconds(reply, error);
      throw error;
    }
  }

  /** A workflow may call with GET; what it says stands in the query. */
  @Get()
  call(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Accepted> {
    return this.receive(request, reply);
  }

  private async take(verified: VerifiedRequest, request: FastifyRequest): Promise<Accepted> {
    takeOne(verified.connections[0].cap);
    const { records, accepted, quarantined, ignored, fault } = sortRequest(verified, receptionNow());
    noteOnRequest(request, { connection: verified.connections[0].connection, accepted, quarantined, ignored });
    await this.ingress.accept(records);
    if (fault) throw fault;
    return { accepted, quarantined, ...(ignored > 0 ? { ignored } : {}) };
  }
}

/** HubSpot's workflows read `Retry-After` as milliseconds, against RFC 9110. */
function inMilliseconds(reply: FastifyReply, { retryAfterSeconds }: Problem): void {
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds * 1_000));
}
