import { Module, type DynamicModule } from '@nestjs/common';
import { openPool } from '#libs/event-store';
import { services, Topic } from '#libs/contracts';
import { LagReader, type LogConnection, LogProducer } from '#libs/log';
import { ConfigError, HealthModule, type Environment, type Logger } from '#libs/platform';
import type { GatewayConfig } from './gateway.config';
import { noDeclarations } from './connection.schema';
import { openConnections } from './connections';
import { Endpoints } from './generic/endpoints';
import { GenericController, GenericDoor } from './generic/generic.controller';
import { HeygenController, HeygenDoor } from './heygen/heygen.controller';
import { HubspotController, HubspotDoor } from './hubspot/hubspot.controller';
import { Ingress } from './ingress';
import { LagWatch } from './lag-watch';
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
  const connection: LogConnection = {
    brokers: config.KAFKA_BROKERS,
    clientId: 'gateway',
    topicPrefix: config.TOPIC_PREFIX,
    lines: logger,
  };
  const producer = new LogProducer(connection);
  const spool = spoolOf(config, producer, logger);
  const lag = lagOf(config, connection, logger);
  return {
    module: AppModule,
    imports: [HealthModule.forChecks({ log: () => producer.check() })],
    controllers: [HubspotController, HeygenController, GenericController],
    providers: [
      { provide: LogLifecycle, useValue: new LogLifecycle(producer, logger, spool, lag) },
      { provide: Ingress, useValue: new Ingress(producer, spool, lag) },
      { provide: HubspotDoor, useValue: new HubspotDoor(config.PUBLIC_URL, connections.hubspot) },
      { provide: HeygenDoor, useValue: new HeygenDoor(config.PUBLIC_URL, connections.heygen) },
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
