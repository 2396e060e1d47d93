import { connect } from 'node:net';
import { findDockerEngine, startContainers } from './docker.mts';
import { startKafka } from './kafka/broker.mts';
import { startPostgres } from './postgres/server.mts';
import { Unavailable } from './unavailable.mts';

export interface InfraWanted {
  kafka?: boolean;
  postgres?: boolean;
  /** Where KAFKA_BROKERS and DATABASE_URL are looked for. */
  env?: Record<string, string | undefined>;
}

export interface Infra {
  readonly kafkaBrokers: string;
  readonly databaseUrl: string;
  /** Stops what was started here and removes its data; leaves alone what was only used. */
  stop(): Promise<void>;
  /** Says in one line where each came from. */
  describe(): string;
}

interface Part {
  readonly address: string;
  readonly origin: string;
  stop(): Promise<void>;
}

const nothingToStop = async (): Promise<void> => {};
const notWanted: Part = { address: '', origin: '', stop: nothingToStop };

/**
 * Provides a real broker and a real database: those named by KAFKA_BROKERS and DATABASE_URL, else containers, else
 * processes of this machine. Throws Unavailable, with one message that lists every way, when one cannot be had.
 */
export async function provideInfra({
  kafka = true,
  postgres = true,
  env = process.env,
}: InfraWanted = {}): Promise<Infra> {
  const given = {
    kafka: kafka ? await givenPart('KAFKA_BROKERS', env, brokerAddresses) : notWanted,
    postgres: postgres ? await givenPart('DATABASE_URL', env, databaseAddress) : notWanted,
  };
  const missing = (['kafka', 'postgres'] as const).filter((name) => !given[name]);
  const provided = missing.length > 0 ? await start(missing) : {};
  const parts = { ...given, ...provided } as Record<'kafka' | 'postgres', Part>;
  return {
    kafkaBrokers: parts.kafka.address,
    databaseUrl: parts.postgres.address,
    stop: async () => void (await Promise.all([parts.kafka.stop(), parts.postgres.stop()])),
    describe: () => [parts.kafka.origin, parts.postgres.origin].filter((origin) => origin !== '').join('; '),
  };
}

async function start(missing: ('kafka' | 'postgres')[]): Promise<Partial<Record<'kafka' | 'postgres', Part>>> {
  const containers = await findDockerEngine()
    .then(() => startContainers(missing))
    .catch(reasonIfUnavailable);
  if (typeof containers !== 'string') {
    const addresses = { kafka: containers.kafkaBrokers, postgres: containers.databaseUrl };
    const stopOnce = containers.stop;
    return Object.fromEntries(
      missing.map((name, index) => [
        name,
        { address: addresses[name], origin: `${name} in Docker`, stop: index === 0 ? stopOnce : nothingToStop },
      ]),
    );
  }
  const starters = { kafka: embeddedKafka, postgres: embeddedPostgres };
  const outcomes = await Promise.allSettled(missing.map(async (name) => [name, await starters[name]()] as const));
  const started = outcomes.filter((outcome) => outcome.status === 'fulfilled').map((outcome) => outcome.value);
  const failed = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected'
      ? [{ name: missing[index] as 'kafka' | 'postgres', reason: outcome.reason as Error }]
      : [],
  );
  if (failed.length === 0) return Object.fromEntries(started);
  await Promise.all(started.map(([, part]) => part.stop()));
  throw new Unavailable(failed.map(({ name, reason }) => describeFailure(name, containers, reason.message)).join('\n'));
}

async function embeddedKafka(): Promise<Part> {
  const { brokers, stop } = await startKafka();
  return { address: brokers, origin: `Kafka 4.3.1 at ${brokers}, a process of this machine`, stop };
}

async function embeddedPostgres(): Promise<Part> {
  const { databaseUrl, version, stop } = await startPostgres();
  return {
    address: databaseUrl,
    origin: `Postgres ${version} at ${new URL(databaseUrl).host}, a process of this machine`,
    stop,
  };
}

async function givenPart(
  name: string,
  env: Record<string, string | undefined>,
  hostsOf: (address: string) => string[],
): Promise<Part | undefined> {
  const address = env[name];
  if (!address) return undefined;
  const hosts = hostsOf(address);
  const answers = await Promise.all(hosts.map((host) => isListening(host)));
  if (!answers.includes(true)) throw new Unavailable(`${name} is set, but nothing answers at ${hosts.join(', ')}`);
  return { address, origin: `${name} as set`, stop: nothingToStop };
}

function brokerAddresses(brokers: string): string[] {
  return brokers.split(',').map((broker) => broker.trim());
}

function databaseAddress(databaseUrl: string): string[] {
  if (!URL.canParse(databaseUrl)) throw new Unavailable('DATABASE_URL is set, but is not a URL');
  const { hostname, port } = new URL(databaseUrl);
  return [`${hostname}:${port || 5432}`];
}

/** Tells whether something accepts connections at host:port within two seconds. */
export async function isListening(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: 2_000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

function reasonIfUnavailable(error: unknown): string {
  if (error instanceof Unavailable) return error.message;
  throw error;
}

function describeFailure(name: 'kafka' | 'postgres', noDocker: string, noEmbedded: string): string {
  const texts = {
    kafka: ['Kafka broker', 'KAFKA_BROKERS', 'host:port of a broker', 'Java 17 or newer and Maven'],
    postgres: [
      'Postgres database',
      'DATABASE_URL',
      'postgresql://user:password@host:port/name',
      'Postgres 15 or newer',
    ],
  };
  const [what, variable, example, install] = texts[name];
  return [
    `A ${what} is needed and none could be had. There are three ways; any one will do:`,
    `  1. set ${variable} (${example}); it is not set`,
    `  2. start Docker with Compose; now: ${noDocker}`,
    `  3. install ${install}; now: ${noEmbedded}`,
  ].join('\n');
}
