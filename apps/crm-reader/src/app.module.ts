import type { DynamicModule } from '@nestjs/common';
import { TenantAccounts } from '#libs/accounts';
import { publishedRecipes, readForeignRows } from '#libs/event-store';
import { type Environment, HealthModule, journalsOf, type Logger, version } from '#libs/platform';
import { connectionOf, keptDaysOf, ServiceRuntime } from '#libs/process';
import { RecipeBook, referenceOf } from '#libs/recipes';
import { journalWatch } from './journal-watch';
import { journalEffects } from './journal.effects';
import { Schedule } from './schedule';
import type { SweepConfig } from './sweep.config';
import { ShapeAlerts } from './shape-alerts';
import { SweepController } from './sweep.controller';
import { sweepEffects } from './sweep.effects';
import { sweepProcess } from './sweep.source';

/** crm-reader: what people and the clock ask for → HubSpot's records, page by page, and what journals tell of → each as an event. */
export class AppModule {
  static for(config: SweepConfig, lines: Logger, env: Environment): DynamicModule {
    const book = RecipeBook.of(
      config,
      publishedRecipes,
      lines,
      referenceOf(config, { lines, env, rows: readForeignRows }),
    );
    const every = { reconcile: config.RECONCILE_EVERY, due: config.DUE_SCAN_EVERY, shape: config.SHAPE_EVERY };
    const accounts = new TenantAccounts(config, env, lines, { renews: true });
    const { hubspot } = accounts;
    const declared = journalsOf(config, env);
    const journals = { apps: declared.map(({ clientId }) => clientId), everyMs: config.JOURNAL_EVERY };
    const schedule = new Schedule(book, { tenants: hubspot.tenants, journals: journals.apps }, lines);
    const watch = journalWatch(lines);
    const runtime = ServiceRuntime.for({
      definition: sweepProcess(book.current, hubspot.tenants, every, journals),
      book: {
        start: async (pool) => {
          await Promise.all([accounts.start(pool), schedule.start(pool)]);
        },
        stop: async () => {
          await Promise.all([schedule.stop(), accounts.stop()]);
        },
      },
      effects: {
        ...sweepEffects(hubspot),
        ...journalEffects(declared, journals.everyMs, { hubspot, recipes: book.current, watch }),
      },
      databaseUrl: config.DATABASE_URL,
      connection: connectionOf(config, 'crm-reader', lines),
      concurrency: 4,
      keptDays: keptDaysOf(config),
      version,
      decideLimitMs: config.DECIDE_LIMIT,
    });
    return {
      module: AppModule,
      imports: [HealthModule.forChecks(runtime.checks())],
      controllers: [SweepController],
      providers: [
        { provide: ServiceRuntime, useValue: runtime },
        { provide: ShapeAlerts, useValue: new ShapeAlerts(lines) },
      ],
    };
  }
}
