import type { DynamicModule } from '@nestjs/common';
import { TenantAccounts } from '#libs/accounts';
import { publishedRecipes, readForeignRows } from '#libs/event-store';
import { budgetWatch, declaredBudgets, type Environment, HealthModule, type Logger, version } from '#libs/platform';
import { connectionOf, keptDaysOf, ServiceRuntime } from '#libs/process';
import { RecipeBook, recipeBudgets, referenceOf } from '#libs/recipes';
import { videoPrices } from './prices';
import type { RenderConfig } from './render.config';
import { RenderController } from './render.controller';
import { renderEffects } from './render.effects';
import { renderProcess } from './render.source';
import { linksOf } from './video-links';

/** render-service: HubSpot changes → HeyGen videos → render events. */
export class AppModule {
  static for(config: RenderConfig, lines: Logger, env: Environment): DynamicModule {
    const book = RecipeBook.of(
      config,
      publishedRecipes,
      lines,
      referenceOf(config, { lines, env, rows: readForeignRows }),
    );
    const accounts = new TenantAccounts(config, env, lines);
    const { hubspot } = accounts;
    const prices = videoPrices(config);
    const watch = budgetWatch(lines);
    if (config.HEYGEN_TEST_RENDERS)
      lines.warn({ code: 'test-renders' }, 'videos are only tests, with a watermark: no production is run so');
    const runtime = ServiceRuntime.for({
      definition: renderProcess(book.current, hubspot.appId, {
        environment: config.RECIPES_ENVIRONMENT,
        reference: book.reference,
        retryAfterMs: config.HEYGEN_RETRY_AFTER,
        links: linksOf(config),
        copying: config.VIDEO_STORE_BUCKET !== undefined,
        prices,
      }),
      book: {
        start: async (pool) => {
          await Promise.all([book.start(pool), accounts.start(pool)]);
        },
        stop: async () => {
          await Promise.all([book.stop(), accounts.stop()]);
        },
      },
      effects: renderEffects(config, hubspot, lines, prices),
      spending: {
        budgets: () => ({ ...declaredBudgets(config), recipes: recipeBudgets(book.current()) }),
        ...watch,
      },
      databaseUrl: config.DATABASE_URL,
      connection: connectionOf(config, 'render-service', lines),
      concurrency: 20,
      keptDays: keptDaysOf(config),
      version,
      decideLimitMs: config.DECIDE_LIMIT,
    });
    return {
      module: AppModule,
      imports: [HealthModule.forChecks(runtime.checks())],
      controllers: [RenderController],
      providers: [{ provide: ServiceRuntime, useValue: runtime }],
    };
  }
}
