import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { LogProducer } from '#libs/log';
import type { Logger } from '#libs/platform';
import { showWaiting } from './gateway-metrics';
import type { LagWatch } from './lag-watch';
import type { Spool } from './spool';

/** Connects the producer while the app starts, without waiting for a broker, and closes it after the last request. */
export class LogLifecycle implements OnModuleInit, OnApplicationShutdown {
  private hideWaiting: (() => void) | undefined;

  constructor(
    private readonly producer: LogProducer,
    private readonly logger: Logger,
    private readonly spool?: Spool,
    private readonly lag?: LagWatch,
  ) {}

  onModuleInit(): void {
    // A gateway without a broker answers 503, which vendors repeat; one that does not listen is reported as broken.
    this.producer.connect().catch((error: unknown) => this.logger.warn({ err: error }, 'no broker answers yet'));
    this.spool?.start();
    this.lag?.start();
    this.hideWaiting = showWaiting(this.producer, this.spool, this.lag);
  }

  async onApplicationShutdown(): Promise<void> {
    this.hideWaiting?.();
    await this.lag?.close();
    await this.spool?.close();
    await this.producer.close();
  }
}
