import 'reflect-metadata';
import type { IncomingMessage, ServerOptions } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Admission } from './admission';
import { readBody } from './body';
import { ConfigError, loadConfig, type Environment } from './config';
import { createLogger, NestLog, type Logger } from './logging';
import { serveMetrics, timeRequests } from './metrics';
import { ProblemFilter } from './problem-filter';
import { refuseUnread } from './unread-request';
import { listening } from './listening';
import { logRequests } from './request-line';
import { nameRoutes } from './request-route';
import { spanRequests } from './request-span';
import type { appSettings } from './settings';
import { shutdownTelemetry, startTelemetry } from './telemetry';
import { type TlsListener, tlsServer } from './tls-listener';

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
  /** Where it listens with TLS beside. */
  tls?: (config: z.infer<S>) => TlsListener | undefined;
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
  const { HOST, PORT, METRICS_PORT, OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint } = config;
  startTelemetry(spec.name, { otlpEndpoint });
  const tls = spec.tls?.(config);
  const { adapter, secure } = adapterWith(logger, config, tls);
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
  if (secure) await listening(secure, tls?.port ?? 0, HOST);
  const metrics = METRICS_PORT === undefined ? undefined : await serveMetrics(METRICS_PORT, HOST);
  const url = (await app.getUrl()).replace(/\/$/, '');
  logger.info({ url }, 'listening');
  return { app, url, close: () => app.close().finally(() => metrics?.close()) };
}

/** Hands every body over as the bytes that came: signatures are made over them, and each door parses for itself. */
function adapterWith(logger: Logger, config: z.infer<AppSchema>, tls?: TlsListener): Adapter {
  const { REQUEST_LIMIT, BODY_BUDGET_MIB, MAX_CONNECTIONS } = config;
  const limits: ServerOptions = {
    maxHeaderSize: HEADER_LIMIT,
    requestTimeout: REQUEST_LIMIT,
    headersTimeout: Math.ceil(REQUEST_LIMIT / 3),
    // Node looks for slow requests only as often as this.
    connectionsCheckingInterval: Math.ceil(REQUEST_LIMIT / 6),
  };
  const clientErrorHandler = (error: NodeJS.ErrnoException, socket: Socket) => refuseUnread(error, socket, logger);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_LIMIT,
    http: limits,
    clientErrorHandler,
  });
  const fastify = adapter.getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request: FastifyRequest, payload: IncomingMessage) =>
    readBody(payload, BODY_LIMIT),
  );
  const admission = new Admission({
    budgetBytes: BODY_BUDGET_MIB * 1024 * 1024,
    requestBytes: HEADER_LIMIT,
    bodyLimit: BODY_LIMIT,
    connections: MAX_CONNECTIONS,
  });
  nameRoutes(fastify);
  spanRequests(fastify);
  admission.guard(fastify);
  admission.watch(fastify.server);
  timeRequests(fastify);
  logRequests(fastify, logger);
  if (!tls) return { adapter };
  const secure = tlsServer(tls, limits, (request, response) => fastify.routing(request, response), logger);
  secure.on('clientError', clientErrorHandler);
  admission.watch(secure, 'secureConnection');
  fastify.addHook('preClose', (done) => void secure.close(() => done()));
  return { adapter, secure };
}

interface Adapter {
  adapter: FastifyAdapter;
  /** Serves the same as the adapter's own server, once it listens. */
  secure?: SecureServer;
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
