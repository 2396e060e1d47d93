import { Loop, type OnError } from '#libs/event-store';
import type { LagReader } from '#libs/log';

const LOOK_EVERY_MS = 2_000;

/** Knows how far the services are behind on what came in. */
export class LagWatch {
  /** Records; undefined as long as it is not known. */
  records: number | undefined;
  private readonly loop: Loop;

  constructor(
    private readonly reader: LagReader,
    private readonly limit: number,
    onError: OnError,
  ) {
    this.loop = new Loop('lag', LOOK_EVERY_MS, () => this.look(), onError);
  }

  start(): void {
    this.loop.start();
  }

  async close(): Promise<void> {
    await this.loop.stop();
    await this.reader.close();
  }

  /** Whether they are too far behind; a lag that is not known never is. */
  get isBehind(): boolean {
    return this.records !== undefined && this.records > this.limit;
  }

  private async look(): Promise<boolean> {
    this.records = await this.reader.read().catch((error: unknown) => {
      this.records = undefined;
      throw error;
    });
    return false;
  }
}
