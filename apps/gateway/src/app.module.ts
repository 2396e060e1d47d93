import { Module, type DynamicModule } from '@nestjs/common';
import { LogProducer } from '#libs/log';
import { HealthModule, type Logger } from '#libs/platform';
import type { GatewayConfig } from './gateway.config';
import { HeygenController, HeygenDoor } from './heygen/heygen.controller';
import { HubspotController, HubspotDoor } from './hubspot/hubspot.controller';
import { Ingress } from './ingress';
import { LogLifecycle } from './log-lifecycle';
import { Tenants } from './tenants';

@Module({})
class AppModule {}

/** The gateway: two doors, one way into the log. */
export function appModule(config: GatewayConfig, logger: Logger): DynamicModule {
  const producer = new LogProducer({
    brokers: config.KAFKA_BROKERS,
    clientId: 'gateway',
    topicPrefix: config.TOPIC_PREFIX,
    lines: logger,
  });
  return {
    module: AppModule,
    imports: [HealthModule.forChecks({ log: () => producer.check() })],
    controllers: [HubspotController, HeygenController],
    providers: [
      { provide: LogLifecycle, useValue: new LogLifecycle(producer, logger) },
      { provide: Ingress, useValue: new Ingress(producer) },
      { provide: Tenants, useValue: config.TENANTS_FILE ?? new Tenants() },
      { provide: HubspotDoor, useValue: new HubspotDoor(config.PUBLIC_URL, config.HUBSPOT_CLIENT_SECRET) },
      { provide: HeygenDoor, useValue: new HeygenDoor(config.HEYGEN_WEBHOOK_SECRET) },
    ],
  };
}
