import { Module, type DynamicModule } from '@nestjs/common';
import { LogProducer } from '#libs/log';
import { HealthModule, type Environment, type Logger } from '#libs/platform';
import type { GatewayConfig } from './gateway.config';
import { Endpoints } from './generic/endpoints';
import { GenericController, GenericDoor } from './generic/generic.controller';
import { HeygenController, HeygenDoor } from './heygen/heygen.controller';
import { HubspotController, HubspotDoor } from './hubspot/hubspot.controller';
import { Ingress } from './ingress';
import { LogLifecycle } from './log-lifecycle';
import { AddressSet } from './schemes/addresses';
import { Tenants } from './tenants';

@Module({})
class AppModule {}

/** The gateway: a door for each vendor and one for all others, one way into the log. */
export function appModule(config: GatewayConfig, logger: Logger, env: Environment): DynamicModule {
  const proxies = config.TRUSTED_PROXIES ?? new AddressSet([]);
  const endpoints = Endpoints.open(config.ENDPOINTS_FILE ?? [], { env, logger, proxies });
  const producer = new LogProducer({
    brokers: config.KAFKA_BROKERS,
    clientId: 'gateway',
    topicPrefix: config.TOPIC_PREFIX,
    lines: logger,
  });
  return {
    module: AppModule,
    imports: [HealthModule.forChecks({ log: () => producer.check() })],
    controllers: [HubspotController, HeygenController, GenericController],
    providers: [
      { provide: LogLifecycle, useValue: new LogLifecycle(producer, logger) },
      { provide: Ingress, useValue: new Ingress(producer) },
      { provide: Tenants, useValue: config.TENANTS_FILE ?? new Tenants() },
      { provide: HubspotDoor, useValue: new HubspotDoor(config.PUBLIC_URL, config.HUBSPOT_CLIENT_SECRET) },
      { provide: HeygenDoor, useValue: new HeygenDoor(config.HEYGEN_WEBHOOK_SECRET) },
      { provide: GenericDoor, useValue: new GenericDoor(config.PUBLIC_URL, endpoints) },
    ],
  };
}
