import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Child } from '../testing/children';
import type { Hub } from '../testing/hub';
import type { Disturbance } from './evidence';
import { callbacksAsUsual, type FaultBody, type PlannedFault } from './fault-plan';
import type { MortalInfra } from './infra';
import type { Chances } from './random';
import type { Supervisor } from './supervisor';

/** A killed process is away for so long, start included. */
const RESTART_MS = 4_000;

/** What HeyGen's account has and may, but for faults: it makes more videos at once than callbacks may be lost. */
export const heygenAsUsual = { walletUsd: 1_000_000, concurrency: 300 };

/** Does to a running hub what the plan says, and notes when it did. */
export class Faults {
  readonly disturbances: Disturbance[] = [];
  /** Sessions of the database that were ended, and those of them that were in the middle of COMMIT. */
  cut = 0;
  cutAtCommit = 0;

  constructor(
    private readonly hub: Hub,
    private readonly infra: MortalInfra,
    private readonly supervisor: Supervisor,
    private readonly chances: Chances,
  ) {}

  /** Resolves when all faults have come and gone. */
  async run(plan: PlannedFault[]): Promise<void> {
    const began = performance.now();
    await Promise.all(
      plan.map(async (fault) => {
        await sleep(Math.max(0, fault.atMs - (performance.now() - began)));
        const noted: Disturbance = { ...described(fault), from: Date.now(), to: Infinity };
        this.disturbances.push(noted);
        await this.inject(fault);
        noted.to = Date.now() + (fault.kind === 'kill' ? RESTART_MS : 1_000);
      }),
    );
    await this.hub.control('heygen', 'PUT', '/callbacks', callbacksAsUsual);
  }

  private async inject(fault: FaultBody): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        this.supervisor.kill(fault.service, fault.replica);
        return;
      case 'stop':
        return freeze(this.hub.child(fault.service, fault.replica), fault.forMs);
      case 'kill-infra':
        return this.infra.kill(fault.part, fault.downMs);
      case 'cut-database':
        return this.cutDatabase(fault.forMs, fault.everyMs);
      case 'freeze-vendor':
        return freeze(this.hub.sandboxes[fault.vendor].child, fault.forMs);
      case 'callbacks': {
        await this.hub.control('heygen', 'PUT', '/callbacks', { ...callbacksAsUsual, ...fault.how });
        return;
      }
      case 'no-credit': {
        const { walletUsd } = heygenAsUsual;
        const { creditFailure, forMs } = fault;
        return this.meanwhile({ walletUsd: 0, creditFailure }, forMs, { walletUsd });
      }
      case 'crowded': {
        const { concurrency } = heygenAsUsual;
        return this.meanwhile({ concurrency: fault.concurrency }, fault.forMs, { concurrency });
      }
      case 'calls': {
        const { vendor, pathPrefix, fault: meets, times } = fault;
        await this.hub.control(vendor, 'POST', '/faults', { match: { pathPrefix }, fault: meets, times });
      }
    }
  }

  private async meanwhile(settings: object, forMs: number, afterwards: object): Promise<void> {
    await this.hub.control('heygen', 'PUT', '/settings', settings);
    await sleep(forMs);
    await this.hub.control('heygen', 'PUT', '/settings', afterwards);
  }

  // Sessions in the middle of COMMIT are looked for; besides, any session may be hit.
  private async cutDatabase(forMs: number, everyMs: number): Promise<void> {
    const until = performance.now() + forMs;
    const client = new Client({ connectionString: this.hub.databaseUrl, application_name: 'chaos' });
    client.on('error', () => undefined); // the database may be killed meanwhile
    try {
      await client.connect();
      while (performance.now() < until) {
        const { rows } = await client.query<{ committing: boolean }>(CUT, [this.chances.next() * 0.2]);
        this.cut += rows.length;
        this.cutAtCommit += rows.filter(({ committing }) => committing).length;
        await sleep(everyMs);
      }
    } catch {
      // It is away: nothing is left to cut.
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function freeze(child: Child, forMs: number): Promise<void> {
  child.signal('SIGSTOP');
  await sleep(forMs);
  child.signal('SIGCONT');
}

const CUT = `
  select state = 'active' and query ilike 'commit%' as committing, pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name <> 'chaos' and backend_type = 'client backend'
    and ((state = 'active' and query ilike 'commit%') or random() < $1)`;

function described(fault: FaultBody): Pick<Disturbance, 'what' | 'service'> {
  const what = JSON.stringify(fault);
  return fault.kind === 'kill' || fault.kind === 'stop' ? { what, service: fault.service } : { what };
}
