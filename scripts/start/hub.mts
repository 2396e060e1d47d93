import { runToEnd } from '../infra/child.mts';
import { freePort } from '../infra/free-port.mts';
import { provideInfra, type Infra } from '../infra/provide.mts';
import { makeWorkDirectory, root } from '../infra/work-directory.mts';
import { build } from '../build.mts';
import { newLog } from '../infra/logs.mts';
import type { Progress } from './progress.mts';
import { startSandbox, type Sandbox } from './sandboxes.mts';
import { writeSecretFiles } from './secret-files.mts';
import { nodeFlags, startService, type Service } from './service.mts';
import { commandEnvironment, programOf, serviceSpecs, type Surroundings } from './services.mts';
import type { Settings, Vendor } from './settings.mts';

export interface Hub {
  readonly gatewayUrl: string;
  readonly publicUrl: string;
  readonly infra: Infra;
  readonly sandboxes: readonly Sandbox[];
  readonly sandboxUrls: Partial<Record<Vendor, string>>;
  readonly services: readonly Service[];
}

export interface HubNews {
  /** A service was started again, so its process is another one. */
  changed(): void;
}

/** The port of the gateway, when it is free: an address that stays the same is easier to come back to. */
const gatewayPort = 4300;

/** Starts all of the hub, in order. What it has started so far stops, in reverse order, when the stack is disposed of. */
export async function startHub(
  settings: Settings,
  progress: Progress,
  stack: AsyncDisposableStack,
  news: HubNews,
): Promise<Hub> {
  const [infra] = await allOrFirstFault([
    progress
      .step('Kafka and Postgres', () => provideInfra({ env: settings.env }))
      .then((infra) => {
        stack.defer(() => infra.stop());
        progress.print(`    ${infra.describe()}`);
        return infra;
      }),
    progress.step('Build', build),
  ]);
  const around = await layOut(settings, infra, stack);
  await progress.step('Migrate', () => command('migrate', ['migrate'], around));
  await progress.step('Create topics', () => command('topics', ['topics', 'apply'], around));

  const sandboxes = await startSandboxes(around, progress, stack);
  if (settings.standIns.has('hubspot')) {
    await progress.step('Prepare HubSpot', () => command('init-hubspot', ['init', 'hubspot', '--yes'], around));
  } else {
    progress.print('    HubSpot is the real one: `npx refrain init hubspot` makes its properties, once');
  }
  const services = await startServices(around, progress, stack, news);
  const { gateway, sandboxUrls } = around;
  return { gatewayUrl: gateway.url, publicUrl: gateway.publicUrl, infra, sandboxes, sandboxUrls, services };
}

async function layOut(settings: Settings, infra: Infra, stack: AsyncDisposableStack): Promise<Surroundings> {
  const directory = makeWorkDirectory('secrets');
  stack.defer(() => directory.remove());
  const { env } = settings;
  const url = `http://127.0.0.1:${env.PORT || (await freePort(gatewayPort))}`;
  return {
    settings,
    kafkaBrokers: infra.kafkaBrokers,
    files: writeSecretFiles(directory.path, settings.secrets, infra.databaseUrl),
    gateway: { url, publicUrl: (env.PUBLIC_URL || url).replace(/\/+$/, '') },
    sandboxUrls: {},
  };
}

async function command(name: string, args: string[], around: Surroundings): Promise<void> {
  await runToEnd({
    name: `refrain ${args.join(' ')}`,
    command: process.execPath,
    args: [...nodeFlags, programOf('cli'), ...args],
    env: commandEnvironment(around),
    cwd: root,
    logFile: newLog(name),
  });
}

async function startSandboxes(around: Surroundings, progress: Progress, stack: AsyncDisposableStack) {
  const { settings, files, gateway, sandboxUrls } = around;
  const names = [...settings.standIns];
  if (names.length === 0) return [];
  const pages = makeWorkDirectory('record-page');
  stack.defer(() => pages.remove());
  return progress.step(`Vendor sandboxes (${names.join(', ')})`, () =>
    allOrFirstFault(
      names.map(async (vendor) => {
        const sandbox = await startSandbox(vendor, settings, files, gateway, pages.path);
        sandboxUrls[vendor] = sandbox.url;
        let stopping = false;
        stack.defer(() => {
          stopping = true;
          return sandbox.child.stop();
        });
        void sandbox.child.exited.then((how) => {
          if (stopping) return;
          progress.print(
            `! The ${vendor} sandbox ended (${how}), and what it held is gone. Read ${sandbox.child.logFile}`,
          );
        });
        return sandbox;
      }),
    ),
  );
}

async function startServices(
  around: Surroundings,
  progress: Progress,
  stack: AsyncDisposableStack,
  { changed }: HubNews,
): Promise<Service[]> {
  const started: Service[] = [];
  stack.defer(async () => {
    // First nothing more comes in, then what is under way ends.
    await started.find(({ name }) => name === 'gateway')?.stop();
    await Promise.all(started.map((service) => service.stop()));
  });
  const news = {
    died: (name: string, how: string, inMs: number) =>
      progress.print(`! ${name} ended (${how}); starting it again in ${inMs / 1000} s`),
    notReady: (why: string) => progress.print(`! ${why}`),
    restarted: (name: string, pid: number) => {
      progress.print(`✓ ${name} is ready again, as process ${pid}`);
      changed();
    },
  };
  const specs = await serviceSpecs(around);
  return progress.step(`Services (${specs.map(({ name }) => name).join(', ')})`, () =>
    allOrFirstFault(
      specs.map(async (spec) => {
        const service = await startService(spec, news);
        started.push(service);
        return service;
      }),
    ),
  );
}

/** Waits for all, so that nothing is being started any more when a fault is told. */
async function allOrFirstFault<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  const outcomes = await Promise.allSettled(work as readonly Promise<unknown>[]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
