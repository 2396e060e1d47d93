import type { DynamicModule } from '@nestjs/common';
import { TenantAccounts } from '#libs/accounts';
import { cardsModel, linksModel, publishedRecipes, readForeignRows, recordsModel } from '#libs/event-store';
import { type Environment, HealthModule, type Logger, version } from '#libs/platform';
import { connectionOf, keptDaysOf, ServiceRuntime } from '#libs/process';
import { RecipeBook, referenceOf } from '#libs/recipes';
import type { RecordConfig } from './record.config';
import { CreditAlerts } from './credit-alerts';
import { LoopAlerts } from './loop-alerts';
import { RecordController } from './record.controller';
import { recordEffects } from './record.effects';
import { recordProcess } from './record.source';

/** crm-writer: render and enrichment events → what a CRM record should say → HubSpot. */
export class AppModule {
  static for(config: RecordConfig, lines: Logger, env: Environment): DynamicModule {
    const book = RecipeBook.of(
      config,
      publishedRecipes,
      lines,
      referenceOf(config, { lines, env, rows: readForeignRows }),
    );
    const accounts = new TenantAccounts(config, env, lines);
    const { hubspot } = accounts;
    const runtime = ServiceRuntime.for({
      definition: recordProcess(book.current, hubspot.appId, config.RECIPES_ENVIRONMENT, book.reference),
      book: {
        start: async (pool) => {
          await Promise.all([book.start(pool), accounts.start(pool)]);
        },
        stop: async () => {
          await Promise.all([book.stop(), accounts.stop()]);
        },
      },
      effects: recordEffects(book.current, hubspot),
      databaseUrl: config.DATABASE_URL,
      connection: connectionOf(config, 'crm-writer', lines),
      concurrency: 10,
      readModels: [recordsModel, cardsModel, linksModel],
      keptDays: keptDaysOf(config),
      version,
      decideLimitMs: config.DECIDE_LIMIT,
    });
    return {
      module: AppModule,
      imports: [HealthModule.forChecks(runtime.checks())],
      controllers: [RecordController],
      providers: [
        { provide: ServiceRuntime, useValue: runtime },
        { provide: LoopAlerts, useValue: new LoopAlerts(lines) },
        { provide: CreditAlerts, useValue: new CreditAlerts(lines) },
      ],
    };
  }
}
