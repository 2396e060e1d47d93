import 'reflect-metadata';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import { ConfigError, loadConfig, type Environment } from './config';
import { createLogger, NestLog, type Logger } from './logging';
import { ProblemFilter } from './problem-filter';
import { refuseUnread } from './unread-request';
import { logRequests } from './request-line';
import { spanRequests } from './request-span';
import type { appSettings } from './settings';
import { shutdownTelemetry, startTelemetry } from './telemetry';

/** Largest body that is read, in bytes; a larger one is answered 413. */
export const BODY_LIMIT = 1024 * 1024;

/** Largest headers that are read, in bytes, all together; larger ones are answered 431. */
export const HEADER_LIMIT = 16 * 1024;

type AppSchema = z.ZodObject<typeof appSettings>;

/** What an app is made of. */
export interface AppSpec<S extends AppSchema> {
  /** Its service name: on log lines, on spans, as a Kafka client. */
  name: string;
  /** Its settings; they contain {@link appSettings}. */
  config: S;
  /** The app's wiring, made from its settings; `env` is for what its files name. May throw {@link ConfigError}. */
  module: (config: z.infer<S>, logger: Logger, env: Environment) => DynamicModule | Type;
  /** Where the app consumes: its transport strategies, taken from the made module. */
  strategies?: (app: INestApplicationContext) => CustomTransportStrategy[];
}

/** An app that listens. */
export interface RunningApp {
  app: NestFastifyApplication;
  /** Address it listens on, without a trailing slash. */
  url: string;
  /** Stops taking requests, finishes those in hand and closes every module. */
  close(): Promise<void>;
}

/** Starts an app in this process and resolves once it listens; throws {@link ConfigError} before anything was started. */
export async function startApp<S extends AppSchema>(spec: AppSpec<S>, env: Environment): Promise<RunningApp> {
  const config = loadConfig(spec.config, env);
  return boot(spec, config, createLogger(spec.name, config.LOG_LEVEL), env);
}

async function boot<S extends AppSchema>(
  spec: AppSpec<S>,
  config: z.infer<S>,
  logger: Logger,
  env: Environment,
): Promise<RunningApp> {
  const { HOST, PORT, REQUEST_LIMIT, OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint } = config;
  startTelemetry(spec.name, { otlpEndpoint });
  const adapter = adapterWith(logger, REQUEST_LIMIT);
  const app = await NestFactory.create<NestFastifyApplication>(spec.module(config, logger, env), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLog(logger),
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  for (const strategy of spec.strategies?.(app) ?? [])
    app.connectMicroservice({ strategy }, { inheritAppConfig: false });
  await app.startAllMicroservices();
  await app.listen(PORT, HOST);
  const url = (await app.getUrl()).replace(/\/$/, '');
  logger.info({ url }, 'listening');
  return { app, url, close: () => app.close() };
}

/** Hands every body over as the bytes that came: signatures are made over them, and each door parses for itself. */
function adapterWith(logger: Logger, requestLimitMs: number): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: requestLimitMs,
    http: {
      maxHeaderSize: HEADER_LIMIT,
      headersTimeout: Math.ceil(requestLimitMs / 3),
      // Node looks for slow requests only as often as this.
      connectionsCheckingInterval: Math.ceil(requestLimitMs / 6),
    },
    clientErrorHandler: (error, socket) => refuseUnread(error, socket, logger),
  });
  const fastify = adapter.getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) => {
    done(null, body);
  });
  spanRequests(fastify);
  logRequests(fastify, logger);
  return adapter;
}

/**
 * The one way an app starts as a process. Faults of the configuration are printed together and end it with status 1
 * before it listens. SIGTERM and SIGINT stop it in order within `SHUTDOWN_LIMIT`, else it ends with status 1; so does
 * an error that nobody caught.
 */
export async function serve<S extends AppSchema>(spec: AppSpec<S>, env: Environment): Promise<void> {
  const config = loadOrExit(spec, env);
  const logger = createLogger(spec.name, config.LOG_LEVEL);
  const die = (error: unknown, what: string): never => {
    logger.fatal({ err: error }, what);
    process.exit(1);
  };
  process.on('uncaughtException', (error) => die(error, 'an exception was not caught'));
  process.on('unhandledRejection', (error) => die(error, 'a rejection was not handled'));
  try {
    const running = await boot(spec, config, logger, env);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => void stop(running, config.SHUTDOWN_LIMIT, logger, signal));
    }
  } catch (error) {
    if (error instanceof ConfigError) exitOver(spec.name, error);
    die(error, 'the app could not start');
  }
}

function loadOrExit<S extends AppSchema>(spec: AppSpec<S>, env: Environment): z.infer<S> {
  try {
    return loadConfig(spec.config, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    exitOver(spec.name, error);
  }
}

function exitOver(service: string, { message }: ConfigError): never {
  process.stderr.write(`${service}: ${message}\n`);
  process.exit(1);
}

/** Nest's own shutdown hooks end the process by the signal and know no limit; ours do, and flush the spans last. */
async function stop(running: RunningApp, limitMs: number, logger: Logger, signal: string): Promise<void> {
  logger.info({ signal }, 'stopping');
  setTimeout(() => {
    logger.error({ limitMs }, 'not stopped within the limit');
    process.exit(1);
  }, limitMs).unref();
  try {
    await running.close();
    await shutdownTelemetry();
    logger.info('stopped');
    process.exit(0);
  } catch (error) {
    logger.fatal({ err: error }, 'the app could not stop in order');
    process.exit(1);
  }
}
