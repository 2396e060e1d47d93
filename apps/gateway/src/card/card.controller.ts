import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type RecordRef, subjectOf } from '#libs/contracts';
import type { CardRead } from '#libs/event-store';
import { noteOnRequest } from '#libs/platform';
import type { HubspotConnection } from '../connections';
import { inboundOf } from '../http';
import { Ingress, receptionNow } from '../ingress';
import { type Card, cardOf } from './card-answer';
import { type CardRequest, forAppCards, forClassicCards, paramOf, readCardRequest, recordIn } from './card-request';
import type { Cards } from './cards';
import { type ClassicCard, classicOf } from './classic';
import { askFor, wishIn } from './render-again';

/** What the card door needs to know. */
export class CardDoor {
  readonly appCards: readonly HubspotConnection[];
  readonly classicCards: readonly HubspotConnection[];

  constructor(
    readonly publicUrl: string,
    connections: readonly HubspotConnection[],
    readonly cards: Cards,
  ) {
    this.appCards = forAppCards(connections);
    this.classicCards = forClassicCards(connections);
  }
}

/** HubSpot's app card asks here, through HubSpot's own proxy; each of its calls may come twice. */
@Controller('cards/hubspot')
export class CardController {
  constructor(
    @Inject(CardDoor) private readonly door: CardDoor,
    @Inject(Ingress) private readonly ingress: Ingress,
  ) {}

  /** As HubSpot's cards were until October 2026. */
  @Get('classic')
  async classic(@Req() request: FastifyRequest): Promise<ClassicCard> {
    const asked = this.believed(request, this.door.classicCards);
    const record = recordIn(paramOf(asked, 'associatedObjectType'), paramOf(asked, 'associatedObjectId'));
    return classicOf(cardOf(record, await this.read(asked, record)));
  }

  @Get(':objectType/:objectId')
  async show(
    @Req() request: FastifyRequest,
    @Param('objectType') objectType: string,
    @Param('objectId') objectId: string,
  ): Promise<Card> {
    const asked = this.believed(request, this.door.appCards);
    const record = recordIn(objectType, objectId);
    return cardOf(record, await this.read(asked, record));
  }

  @Post(':objectType/:objectId/renders')
  @HttpCode(202)
  async renderAgain(
    @Req() request: FastifyRequest,
    @Param('objectType') objectType: string,
    @Param('objectId') objectId: string,
  ): Promise<{ asked: true }> {
    const asked = this.believed(request, this.door.appCards);
    const record = recordIn(objectType, objectId);
    const wish = wishIn(asked.verified.body);
    await this.ingress.accept([askFor(wish, await this.read(asked, record), asked, receptionNow())]);
    return { asked: true };
  }

  private believed(request: FastifyRequest, connections: readonly HubspotConnection[]): CardRequest {
    const asked = readCardRequest(inboundOf(request, this.door.publicUrl), connections, Date.now());
    noteOnRequest(request, { connection: asked.owner.connection });
    return asked;
  }

  private read({ owner }: CardRequest, record: RecordRef): Promise<CardRead> {
    return this.door.cards.read(owner.tenant, subjectOf(record));
  }
}
