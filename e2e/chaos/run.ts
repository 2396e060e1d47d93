import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Hub } from '../testing/hub';
import type { Environment } from '../testing/children';
import { everyRule } from './checker';
import { Driver } from './driver';
import type { Evidence, Finding, Rule } from './evidence';
import { Faults, heygenAsUsual } from './faults';
import { MortalInfra } from './infra';
import { waitingForCallback } from './outcome-rules';
import type { Plan } from './plan';
import { Chances } from './random';
import { Supervisor } from './supervisor';
import { gather } from './witness';

export interface ChaosOptions {
  /** What is sent, and which faults come meanwhile. */
  plan: Plan;
  /** Settings of the hub and the sandboxes. */
  settings?: Environment;
  /** What must hold in the end; everything where absent. */
  rules?: readonly Rule[];
  /** What is looked at once, when everything has come to an end and the vendors still stand. */
  lastLook?(evidence: Evidence): Promise<Finding[]>;
  /** How long the hub may take, after the last fault, to bring everything to an end. */
  settleMs: number;
  progress(line: string): void;
}

export interface ChaosResult {
  plan: Plan;
  evidence: Evidence;
  findings: Finding[];
  settledInMs: number;
  cuts: { sessions: number; atCommit: number };
  logs: string;
}

/** Runs a hub of two replicas of each service through the seed's traffic and faults, and checks it from outside. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const infra = await MortalInfra.start();
  try {
    const settings = { OPENAI_DEADLINE: '5s', RENDER_MS: '700', ...options.settings };
    const hub = await Hub.start(settings, { replicas: 2, places: infra.places, watched: false });
    const supervisor = new Supervisor(hub);
    try {
      return await chaosOn(hub, infra, supervisor, options);
    } finally {
      supervisor.stop();
      await hub.stop();
    }
  } finally {
    await infra.stop();
  }
}

async function chaosOn(hub: Hub, infra: MortalInfra, supervisor: Supervisor, options: ChaosOptions) {
  const { plan, progress } = options;
  const { seed } = plan;
  const chances = new Chances(seed + 1);
  await hub.control('hubspot', 'PUT', '/rate-limit', { perTenSeconds: 2_000 });
  await hub.control('heygen', 'PUT', '/settings', heygenAsUsual);
  const driver = new Driver(hub, plan, chances);
  await driver.prepare();
  progress(
    `seed ${seed}: ${plan.contacts.length} contacts, ${plan.posts.length} requests, ${plan.faults.length} faults`,
  );
  const faults = new Faults(hub, infra, supervisor, chances);
  const ticking = setInterval(() => {
    const accepted = driver.events.reduce((sum, event) => sum + event.accepted, 0);
    progress(`seed ${seed}: ${accepted} of ${eventsIn(plan)} accepted, ${faults.disturbances.length} faults`);
  }, 5_000);
  try {
    await Promise.all([driver.send(), faults.run(plan.faults)]);
  } finally {
    clearInterval(ticking);
  }
  const since = performance.now();
  await hub.readTopics();
  const { evidence, findings } = await settle(hub, driver, faults, options);
  if (driver.unaccepted > 0)
    findings.push({ rule: 'unaccepted', detail: `${driver.unaccepted} requests were never accepted` });
  if (driver.forgedAccepted > 0)
    findings.push({ rule: 'forged', detail: `${driver.forgedAccepted} forged callbacks were accepted` });
  findings.push(...((await options.lastLook?.(evidence)) ?? []));
  findings.push(...supervisor.surprises.map((detail) => ({ rule: 'ended-by-itself', detail })));
  const settledInMs = performance.now() - since;
  const cuts = { sessions: faults.cut, atCommit: faults.cutAtCommit };
  return { plan, evidence, findings, settledInMs, cuts, logs: hub.logs() };
}

/** How many events the plan's requests bring. */
export const eventsIn = ({ posts }: Plan): number => posts.reduce((sum, { events }) => sum + events.length, 0);

const LOOK_MS = 2_000;
/** A bit more than the watchdog's half an hour. */
const WATCHDOG_MINUTES = 31;

/** Looks until nothing is found and nothing moves any more, or the time is up. */
async function settle(hub: Hub, driver: Driver, faults: Faults, options: ChaosOptions) {
  const deadline = performance.now() + options.settleMs;
  const { rules = everyRule } = options;
  let before = '';
  let moved = 0;
  for (;;) {
    const evidence = await gather(hub, driver, faults.disturbances);
    const findings = rules.flatMap((rule) => rule(evidence));
    const now = JSON.stringify([
      evidence.records.length,
      ...Object.values(evidence.calls).map((calls) => calls.length),
    ]);
    const still = now === before;
    before = now;
    options.progress(`seed ${options.plan.seed}: settling, open: ${countedByRule(findings)}${still ? '; quiet' : ''}`);
    if (findings.length === 0 && still) {
      const late: Finding[] = await hub.caughtUp().then(
        () => [],
        (error: unknown) => [{ rule: 'stuck', detail: String(error) }],
      );
      return { evidence, findings: late };
    }
    const waiting = waitingForCallback(evidence);
    if (still && waiting.size > 0) {
      options.progress(
        `seed ${options.plan.seed}: ${waiting.size} renders wait for lost callbacks: the clock is moved to the watchdog`,
      );
      moved += WATCHDOG_MINUTES;
      await moveClock(hub, moved);
    }
    if (performance.now() > deadline) return { evidence, findings };
    await sleep(LOOK_MS);
  }
}

const countedByRule = (findings: Finding[]): string =>
  [...Map.groupBy(findings, ({ rule }) => rule)].map(([rule, some]) => `${some.length} ${rule}`).join(', ') ||
  'nothing';

async function moveClock(hub: Hub, minutes: number): Promise<void> {
  const client = new Client({ connectionString: hub.databaseUrl });
  await client.connect();
  await client.query(`update clock set moved_by = $1`, [`${minutes} minutes`]).finally(() => client.end());
}
