import { setTimeout as sleep } from 'node:timers/promises';
import { type Hub, type Service, services } from '../testing/hub';

const PAUSE_MS = 300;

/** Starts every replica again whenever it has ended, as a supervisor would. */
export class Supervisor {
  /** The last words of replicas that ended without having been killed: no fault around them is a reason to. */
  surprises: string[] = [];
  private readonly killed = new Set<string>();
  private stopped = false;

  constructor(private readonly hub: Hub) {
    for (const service of services) for (const replica of [1, 2]) void this.watch(service, replica);
  }

  /** Ends a replica with no chance to tidy up. */
  kill(service: Service, replica: number): void {
    this.killed.add(`${service} ${replica}`);
    this.hub.child(service, replica).signal('SIGKILL');
  }

  stop(): void {
    this.stopped = true;
  }

  private async watch(service: Service, replica: number): Promise<void> {
    const child = this.hub.child(service, replica);
    for (;;) {
      await child.ended;
      await sleep(PAUSE_MS);
      if (this.stopped) return;
      const name = `${service} ${replica}`;
      if (!this.killed.delete(name)) this.surprises.push(`${name}: ${child.output.trimEnd().slice(-600)}`);
      child.start();
    }
  }
}
