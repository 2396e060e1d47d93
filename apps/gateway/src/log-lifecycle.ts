import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { LogProducer } from '#libs/log';
import type { Logger } from '#libs/platform';
import type { Spool } from './spool';

/** Connects the producer while the app starts, without waiting for a broker, and closes it after the last request. */
export class LogLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly producer: LogProducer,
    private readonly logger: Logger,
    private readonly spool?: Spool,
  ) {}

  onModuleInit(): void {
    // A gateway without a broker answers 503, which vendors repeat; one that does not listen is reported as broken.
    this.producer.connect().catch((error: unknown) => this.logger.warn({ err: error }, 'no broker answers yet'));
    this.spool?.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.spool?.close();
    await this.producer.close();
  }
}
