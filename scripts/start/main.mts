// `npm start`: the whole hub on this machine, and its main job once before the reader's eyes.
import { Unavailable } from '../infra/unavailable.mts';
import { untilToldToStop } from '../infra/until-told.mts';
import { addressTable } from './address-table.mts';
import { driveMainJob } from './demo/main-job.mts';
import { readFlags } from './flags.mjs';
import { startHub, type Hub } from './hub.mts';
import { showProgress, type Progress } from './progress.mts';
import { claimCheckout, removeRunFile, writeRunFile } from './run-file.mts';
import { readSettings, type Settings } from './settings.mts';

const flags = readFlags(process.argv.slice(2));
const progress = showProgress();
const stack = new AsyncDisposableStack();
const told = new AbortController();
const untilTold = untilToldToStop().then((reason) => told.abort(reason));
let hub: Hub | undefined;

try {
  stack.defer(claimCheckout());
  await Promise.race([run(), untilTold]);
  progress.print('\nStopping …');
  await stop();
  const cutShort = told.signal.aborted && (flags.check || hub === undefined);
  if (flags.check && !cutShort) progress.print('Everything works.');
  process.exit(cutShort ? 130 : 0);
} catch (error) {
  progress.print(`\n${describe(error)}`);
  await stop();
  process.exit(1);
}

async function run(): Promise<void> {
  const since = performance.now();
  const settings = readSettings();
  if (flags.check && settings.standIns.size < 3) {
    throw new Unavailable('--check drives the sandboxes of all three vendors; leave out the settings of the real ones');
  }
  const up = await startHub(settings, progress, stack, { changed: () => hub && announce(hub, settings) });
  hub = up;
  stack.defer(removeRunFile);
  announce(up, settings);
  progress.print(`The hub is up (${((performance.now() - since) / 1000).toFixed(1)} s)`);
  if (flags.demo) await demo(up, settings, progress);
  if (flags.check) return;
  progress.print('');
  addressTable(up).forEach(progress.print);
  progress.print('\nThese and the secrets of this run are in .refrain/run.json. Ctrl-C stops everything.');
  await untilTold;
}

async function demo(hub: Hub, { standIns, secrets, env }: Settings, { print }: Progress): Promise<void> {
  const hubspotUrl = hub.sandboxUrls.hubspot;
  if (standIns.size < 3 || hubspotUrl === undefined) {
    print('The main job is left to you: with a real vendor it would write to real records and cost real credits.');
    return;
  }
  const job = {
    hubspotUrl,
    accessToken: secrets.hubspotAccessToken,
    kafkaBrokers: hub.infra.kafkaBrokers,
    topicPrefix: env.TOPIC_PREFIX ?? '',
    print,
    logOf: (name: string) => hub.services.find((service) => service.name === name)?.logFile ?? name,
    signal: told.signal,
  };
  try {
    await driveMainJob(job);
  } catch (error) {
    if (flags.check || told.signal.aborted) throw error;
    print(`\n${describe(error)}`); // the hub stays up, for whoever wants to see why
  }
}

function announce(hub: Hub, { secrets, standIns }: Settings): void {
  const { hubspot: hubspotUrl, heygen: heygenUrl, openai: openaiUrl } = hub.sandboxUrls;
  // Keys of real vendors stay where they were given.
  const { hubspotAccessToken, heygenApiKey, openaiApiKey, ...signing } = secrets;
  writeRunFile({
    pid: process.pid,
    gatewayUrl: hub.gatewayUrl,
    publicUrl: hub.publicUrl,
    kafkaBrokers: hub.infra.kafkaBrokers,
    databaseUrl: hub.infra.databaseUrl,
    sandbox: { hubspotUrl, heygenUrl, openaiUrl },
    secrets: {
      ...signing,
      ...(standIns.has('hubspot') && { hubspotAccessToken }),
      ...(standIns.has('heygen') && { heygenApiKey }),
      ...(standIns.has('openai') && { openaiApiKey }),
    },
    services: Object.fromEntries(hub.services.map(({ name, url, pid }) => [name, { pid: pid(), url }])),
  });
}

async function stop(): Promise<void> {
  await stack.disposeAsync().catch((error: unknown) => progress.print(`While stopping: ${describe(error)}`));
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('\n');
  return error instanceof Error ? error.message : String(error);
}
