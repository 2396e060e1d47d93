import { Controller, Get, Inject, Module, type DynamicModule } from '@nestjs/common';
import { Problem, type ProblemPart } from './problem';

/** Resolves while the checked thing works; rejects with the reason, which `/readyz` shows. */
export type Check = () => Promise<unknown>;

/** Named checks that must all pass for the service to be ready. */
export type Checks = Record<string, Check>;

const CHECKS = Symbol('checks');
const CHECK_LIMIT_MS = 3_000;

@Controller()
class HealthController {
  constructor(@Inject(CHECKS) private readonly checks: Checks) {}

  @Get('healthz')
  alive(): { status: string } {
    return { status: 'alive' };
  }

  @Get('readyz')
  async ready(): Promise<{ status: string; checks: string[] }> {
    const names = Object.keys(this.checks);
    const errors = (await Promise.all(names.map((name) => failure(name, this.checks[name])))).filter((e) => e !== null);
    if (errors.length > 0) throw new Problem('not-ready', { errors, retryAfterSeconds: 5 });
    return { status: 'ready', checks: names };
  }
}

async function failure(name: string, check: Check | undefined): Promise<ProblemPart | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_LIMIT_MS} ms`)), CHECK_LIMIT_MS);
  });
  try {
    await Promise.race([check?.(), limit]);
    return null;
  } catch (error) {
    return { at: name, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Serves `/healthz` (the process is alive) and `/readyz` (every check passes, else 503 naming those that do not). */
@Module({})
export class HealthModule {
  /** Takes the checks by name; each is given 3 seconds. */
  static forChecks(checks: Checks): DynamicModule {
    return {
      module: HealthModule,
      controllers: [HealthController],
      providers: [{ provide: CHECKS, useValue: checks }],
    };
  }
}
