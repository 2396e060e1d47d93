import { Module, type DynamicModule } from '@nestjs/common';
import { openPool } from '#libs/event-store';
import { services, Topic } from '#libs/contracts';
import { LagReader, type LogConnection, LogProducer } from '#libs/log';
import { ConfigError, HealthModule, installableApps, type Environment, type Logger } from '#libs/platform';
import type { GatewayConfig } from './gateway.config';
import { CardController, CardDoor } from './card/card.controller';
import { Cards } from './card/cards';
import { noDeclarations } from './connection.schema';
import { openConnections } from './connections';
import { Endpoints } from './generic/endpoints';
import { GenericController, GenericDoor } from './generic/generic.controller';
import { HeygenController, HeygenDoor } from './heygen/heygen.controller';
import { MissedCallbacks } from './heygen/missed';
import { missedCallbacks } from './heygen/open-history';
import { HubspotController, HubspotDoor } from './hubspot/hubspot.controller';
import { Ingress } from './ingress';
import { InstallDoor } from './install/install';
import { InstallController } from './install/install.controller';
import { installDoor } from './install/open';
import { LagWatch } from './lag-watch';
import { LinkController, LinkDoor } from './link/link.controller';
import { linkDoor } from './link/open';
import { LogLifecycle } from './log-lifecycle';
import { AddressSet } from './schemes/addresses';
import { Spool } from './spool';

const SPOOL_CONNECTIONS = 4;
const MIB = 1024 * 1024;
/** A page of the spool is published in a transaction, which may idle for 10 s. */
const DRAIN_LIMIT_MS = 5_000;

@Module({})
class AppModule {}

/** The gateway: a door for each vendor and one for all others, one way into the log. */
export function appModule(config: GatewayConfig, logger: Logger, env: Environment): DynamicModule {
  const proxies = config.TRUSTED_PROXIES ?? new AddressSet([]);
  const endpoints = Endpoints.open(config.ENDPOINTS_FILE ?? [], { env, logger, proxies });
  const connections = openConnections(config.TENANTS_FILE ?? noDeclarations, { env, logger });
  const { HUBSPOT_BASE_URL, TENANTS_FILE } = config;
  const installable = installableApps({ HUBSPOT_BASE_URL, TENANTS_FILE: TENANTS_FILE?.installable }, env);
  const connection: LogConnection = {
    brokers: config.KAFKA_BROKERS,
    clientId: 'gateway',
    topicPrefix: config.TOPIC_PREFIX,
    lines: logger,
  };
  const producer = new LogProducer(connection);
  const spool = spoolOf(config, producer, logger);
  const lag = lagOf(config, connection, logger);
  const cards = new Cards(config.DATABASE_URL);
  return {
    module: AppModule,
    imports: [HealthModule.forChecks({ log: () => producer.check() })],
    controllers: [
      HubspotController,
      HeygenController,
      GenericController,
      CardController,
      LinkController,
      ...(installable.length > 0 ? [InstallController] : []),
    ],
    providers: [
      { provide: LogLifecycle, useValue: new LogLifecycle(producer, logger, spool, lag) },
      { provide: Ingress, useValue: new Ingress(producer, spool, lag) },
      { provide: HubspotDoor, useValue: new HubspotDoor(config.PUBLIC_URL, connections.hubspot) },
      { provide: HeygenDoor, useValue: new HeygenDoor(config.PUBLIC_URL, connections.heygen) },
      ...(installable.length > 0
        ? [{ provide: InstallDoor, useFactory: installDoor(config, installable, logger) }]
        : []),
      { provide: Cards, useValue: cards },
      { provide: CardDoor, useValue: new CardDoor(config.PUBLIC_URL, connections.hubspot, cards) },
      {
        provide: MissedCallbacks,
        useFactory: missedCallbacks(config, connections.heygen, logger),
        inject: [Ingress],
      },
      { provide: LinkDoor, useFactory: linkDoor(config) },
      { provide: GenericDoor, useValue: new GenericDoor(config.PUBLIC_URL, endpoints) },
    ],
  };
}

function spoolOf(config: GatewayConfig, producer: LogProducer, logger: Logger): Spool | undefined {
  const { WHEN_LOG_IS_AWAY, DATABASE_URL, SPOOL_MIB } = config;
  if (WHEN_LOG_IS_AWAY !== 'spool') return undefined;
  if (DATABASE_URL === undefined) throw new ConfigError(['DATABASE_URL: is needed where WHEN_LOG_IS_AWAY is spool']);
  return new Spool(
    openPool(DATABASE_URL, 'gateway', SPOOL_CONNECTIONS),
    SPOOL_MIB * MIB,
    (records) => producer.publish(records, { timeoutMs: DRAIN_LIMIT_MS }),
    (error) => logger.warn({ err: error }, 'the spool waits for the log or for its database'),
  );
}

function lagOf({ LAG_LIMIT }: GatewayConfig, connection: LogConnection, logger: Logger): LagWatch | undefined {
  if (LAG_LIMIT === undefined) return undefined;
  const topics = [Topic.ingressHubspot, Topic.ingressHeygen, Topic.ingressGeneric];
  const reader = new LagReader(connection, services, topics);
  return new LagWatch(reader, LAG_LIMIT, (error) =>
    logger.warn({ err: error }, 'how far the services are behind is not known'),
  );
}
