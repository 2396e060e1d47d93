import type { DynamicModule } from '@nestjs/common';
import { publishedRecipes, readForeignRows } from '#libs/event-store';
import { type Environment, HealthModule, type Logger, version } from '#libs/platform';
import { connectionOf, keptDaysOf, ServiceRuntime } from '#libs/process';
import { RecipeBook, referenceOf } from '#libs/recipes';
import type { EnrichmentConfig } from './enrichment.config';
import { EnrichmentController } from './enrichment.controller';
import { enrichmentEffects } from './enrichment.effects';
import { enrichmentProcess } from './enrichment.source';

/** enrichment-service: HubSpot changes → OpenAI answers → enrichment events. */
export class AppModule {
  static for(config: EnrichmentConfig, lines: Logger, env: Environment): DynamicModule {
    const book = RecipeBook.of(
      config,
      publishedRecipes,
      lines,
      referenceOf(config, { lines, env, rows: readForeignRows }),
    );
    const runtime = ServiceRuntime.for({
      definition: enrichmentProcess(book.current, config.HUBSPOT_APP_ID, config.RECIPES_ENVIRONMENT, book.reference),
      book,
      effects: enrichmentEffects(config),
      contentSecret: config.CONTENT_KEY,
      databaseUrl: config.DATABASE_URL,
      connection: connectionOf(config, 'enrichment-service', lines),
      concurrency: 50,
      keptDays: keptDaysOf(config),
      version,
      decideLimitMs: config.DECIDE_LIMIT,
    });
    return {
      module: AppModule,
      imports: [HealthModule.forChecks(runtime.checks())],
      controllers: [EnrichmentController],
      providers: [{ provide: ServiceRuntime, useValue: runtime }],
    };
  }
}
