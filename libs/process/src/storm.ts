const WINDOW = 1_000;
const BORNE = WINDOW * 0.05;

/**
 * So many inputs fail alike that the fault is not theirs: the service decides nothing more until it is started again.
 * Nothing is lost: what was parked stays parked, all else stays where it was.
 */
export class Storm extends Error {
  constructor(errorClass: string) {
    super(
      `more than 5 % of the last ${String(WINDOW)} inputs failed alike (${errorClass}): nothing more is decided. ` +
        'Mend the cause, start the service again, then release what is parked (`refrain dlq release`)',
    );
    this.name = 'Storm';
  }
}

/**
 * Counts how the last 1,000 inputs of this process ended. Of them 50 may fail alike; the share is of 1,000 also where
 * fewer came yet, so that a handful of bad records right after a start stops nothing.
 */
export class StormWatch {
  /** Set once, and never taken back. */
  storm: Storm | undefined;
  private readonly window: ([shape: string, input: string] | undefined)[] = [];
  private next = 0;
  private readonly alike = new Map<string, Set<string>>();

  constructor(private readonly onStorm: (storm: Storm) => void) {}

  /** Notes inputs that were handled. */
  passed(count: number): void {
    for (let i = 0; i < Math.min(count, WINDOW); i += 1) this.put(undefined);
  }

  /** Notes an input that failed, before it is parked; throws {@link Storm} where it must not be parked any more. */
  failed(input: string, error: unknown): void {
    if (this.storm) throw this.storm;
    const shape = shapeOf(error);
    const inputs = this.alike.get(shape) ?? new Set();
    if (inputs.has(input)) return;
    this.alike.set(shape, inputs.add(input));
    this.put([shape, input]);
    if (inputs.size <= BORNE) return;
    this.storm = new Storm(classOf(error));
    this.onStorm(this.storm);
    throw this.storm;
  }

  private put(entry: [string, string] | undefined): void {
    const [shape = '', input = ''] = this.window[this.next] ?? [];
    const inputs = this.alike.get(shape);
    inputs?.delete(input);
    if (inputs?.size === 0) this.alike.delete(shape);
    this.window[this.next] = entry;
    this.next = (this.next + 1) % WINDOW;
  }
}

/** The class of what was thrown. */
export const classOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');

// Two errors are alike by class and code, or by class and text without what differs from record to record in it.
function shapeOf(error: unknown): string {
  const code = Error.isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const text = error instanceof Error ? error.message : String(error);
  return `${classOf(error)} ${code ?? text.replace(/(["'`]).*?\1/g, '…').replace(/[0-9a-f-]*\d[0-9a-f-]*/gi, '#')}`;
}
