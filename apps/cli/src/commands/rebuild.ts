import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import {
  type Build,
  Conflict,
  oldestWriterMs,
  type Pool,
  Projector,
  type ReadModel,
  readModels,
  readModelState,
  type ReadModelState,
  requestRebuild,
  StoreUnavailable,
} from '#libs/event-store';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { Progress } from '../progress';
import { withStore } from '../store';

interface Options {
  ls: boolean;
  by: string;
  wait: boolean;
  json: boolean;
}

const LOOK_EVERY_MS = 300;

/** `refrain rebuild`: makes a read model again from all events, without any effect. */
export function addRebuild(program: Command): void {
  program
    .command('rebuild [read-model]')
    .description(
      'make a read model again from all events, beside the one that is read, and then take its place; nothing else ' +
        'changes. Without a name: list the read models. Stopped half way, it goes on when run again',
    )
    .option('--ls', 'list the read models and how far they are', false)
    .addOption(byOption())
    .option('--no-wait', 'only ask for it; crm-writer does it')
    .option('--json', 'print as JSON', false)
    .action((name: string | undefined, options: Options) =>
      name === undefined || options.ls ? ls(options) : rebuild(modelOf(name), options),
    );
}

function modelOf(name: string): ReadModel {
  const model = readModels.find((each) => each.name === name);
  if (!model)
    throw new UsageError(`there is no read model ${name}; there is ${readModels.map((m) => m.name).join(', ')}`);
  return model;
}

async function ls({ json }: Options): Promise<void> {
  await withStore(async (pool) => {
    const states = await Promise.all(readModels.map((model) => readModelState(pool, model.name)));
    const writerMs = await oldestWriterMs(pool);
    const lines = states.map((state, i) => `${lineOf(state)}\n  ${readModels[i]?.says ?? ''}`);
    const waits = `oldest open writing transaction: ${(writerMs / 1_000).toFixed(1)} s (read models wait for it)`;
    print(json, { readModels: states.map(shown), oldestWriterMs: writerMs }, [...lines, waits].join('\n'));
  });
}

async function rebuild(model: ReadModel, { by, wait, json }: Options): Promise<void> {
  await withStore(async (pool) => {
    await requestRebuild(pool, model.name, by);
    if (wait) await build(pool, model);
    const state = await readModelState(pool, model.name);
    print(json, shown(state), lineOf(state));
  });
}

/** Builds here as long as no service holds the lease: so it works with crm-writer running and without. */
async function build(pool: Pool, model: ReadModel): Promise<void> {
  const failed = Promise.withResolvers<never>();
  const projector = new Projector(pool, model, `refrain-cli/${randomUUID()}`, (error) => {
    // Someone else was quicker, or a reader holds the old tables: it is tried again.
    if (!(error instanceof Conflict || error instanceof StoreUnavailable)) failed.reject(error);
  });
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  process.once('SIGINT', stop);
  projector.start();
  try {
    await Promise.race([follow(pool, model.name, stopped.signal), failed.promise]);
  } finally {
    process.off('SIGINT', stop);
    await projector.stop();
  }
}

async function follow(pool: Pool, name: string, stopped: AbortSignal): Promise<void> {
  const progress = new Progress(process.stderr);
  for (;;) {
    const { next, last } = await readModelState(pool, name);
    if (!next) break;
    if (stopped.aborted)
      throw new Error(`stopped; \`refrain rebuild ${name}\` goes on where it was, and crm-writer does`);
    progress.show(name, Number(next.position), Number(last));
    await pause(LOOK_EVERY_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  progress.end();
}

const buildText = ({ build, version, events, position }: Build): string =>
  version === undefined
    ? `${build} asked for`
    : `${build} version ${String(version)}, ${String(events)} events, at ${String(position)}`;

const lineOf = ({ name, live, next, last }: ReadModelState): string =>
  [name, ...[live, next].flatMap((build) => (build ? [buildText(build)] : [])), `last event ${String(last)}`].join(
    ' | ',
  );

const shown = ({ name, live, next, last }: ReadModelState) => ({
  name,
  live: live && { ...live, position: String(live.position) },
  next: next && { ...next, position: String(next.position) },
  last: String(last),
});
