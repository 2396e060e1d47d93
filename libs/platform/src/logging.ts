import type { LoggerService } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

const hidden = [
  'authorization',
  'cookie',
  'secret',
  'clientSecret',
  'password',
  'token',
  'accessToken',
  'apiKey',
  'body',
  'payload',
  'email',
  'firstname',
  'lastname',
  'phone',
  'propertyValue',
];

const redact = hidden.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/**
 * Makes the logger of a service: one JSON object a line on stdout, with the active span's trace id. Secrets, payloads
 * and personal data are redacted where they stand under their usual names, up to two levels deep.
 */
export function createLogger(service: string, level = 'info', to?: DestinationStream): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redact, censor: '[redacted]' },
    mixin: () => {
      const span = trace.getActiveSpan()?.spanContext();
      return span ? { traceId: span.traceId, spanId: span.spanId } : {};
    },
  };
  return to ? pino(options, to) : pino(options);
}

/** Lets Nest write to our logger: its context becomes a field, its banner lines are debug. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ context: contextOf(rest) }, String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    const fields = message instanceof Error ? { err: message } : { stack: rest.length > 1 ? rest[0] : undefined };
    this.logger.error(
      { ...fields, context: contextOf(rest) },
      message instanceof Error ? message.message : String(message),
    );
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn({ context: contextOf(rest) }, String(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ context: contextOf(rest) }, String(message));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.trace({ context: contextOf(rest) }, String(message));
  }
}

const contextOf = (rest: unknown[]): string | undefined => {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
};
