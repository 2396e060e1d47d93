import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { noteOnRequest, Problem } from '#libs/platform';
import { inboundOf } from '../http';
import { Ingress, receptionNow, type Accepted } from '../ingress';
import { takeOne } from '../minute-cap';
import type { Endpoint, Endpoints } from './endpoints';
import { challengeIn, sortInput } from './event';
import { VerifiedInput } from './verified-input';

/** What the generic door needs to know. */
export class GenericDoor {
  constructor(
    readonly publicUrl: string,
    readonly endpoints: Endpoints,
  ) {}
}

@Controller('webhooks/in')
export class GenericController {
  constructor(
    @Inject(GenericDoor) private readonly door: GenericDoor,
    @Inject(Ingress) private readonly ingress: Ingress,
  ) {}

  @Post(':endpoint')
  @HttpCode(200)
  async receive(
    @Req() request: FastifyRequest,
    @Param('endpoint') name: string,
  ): Promise<Accepted | { challenge: string }> {
    const endpoint = this.door.endpoints.get(name);
    if (!endpoint) throw new Problem('not-found');
    noteOnRequest(request, { endpoint: name });
    const input = await this.verified(request, endpoint);
    const challenge = endpoint.schemes.some((scheme) => scheme.name === 'slack') ? challengeIn(input) : undefined;
    if (challenge !== undefined) return { challenge };
    const sorted = sortInput(input, endpoint.declared, receptionNow());
    const quarantined = sorted !== 'ignored' && sorted.fault ? 1 : 0;
    const accepted = sorted !== 'ignored' && !sorted.fault ? 1 : 0;
    noteOnRequest(request, { accepted, quarantined });
    if (sorted === 'ignored') return { accepted, quarantined, ignored: 1 };
    await this.ingress.accept([sorted.record], { repeats: endpoint.declared.whenBehind === 'refuse' });
    if (sorted.fault) throw sorted.fault;
    return { accepted, quarantined };
  }

  private async verified(request: FastifyRequest, endpoint: Endpoint): Promise<VerifiedInput> {
    const inbound = inboundOf(request, this.door.publicUrl);
    if (inbound.body.length > endpoint.declared.maxBytes) throw new Problem('too-large');
    const input = await VerifiedInput.verify(inbound, endpoint, Date.now());
    // Counted only now, so that nobody can use up what the sender may send.
    takeOne(endpoint.cap);
    return input;
  }
}
