import type { DynamicModule } from '@nestjs/common';
import { publishedRecipes, readForeignRows } from '#libs/event-store';
import { type Environment, HealthModule, type Logger, version } from '#libs/platform';
import { connectionOf, keptDaysOf, ServiceRuntime } from '#libs/process';
import { RecipeBook, referenceOf } from '#libs/recipes';
import type { RenderConfig } from './render.config';
import { RenderController } from './render.controller';
import { hubspotOf, renderEffects } from './render.effects';
import { renderProcess } from './render.source';

/** render-service: HubSpot changes → HeyGen videos → render events. */
export class AppModule {
  static for(config: RenderConfig, lines: Logger, env: Environment): DynamicModule {
    const book = RecipeBook.of(
      config,
      publishedRecipes,
      lines,
      referenceOf(config, { lines, env, rows: readForeignRows }),
    );
    const hubspot = hubspotOf(config, env, lines);
    const runtime = ServiceRuntime.for({
      definition: renderProcess(book.current, hubspot.appId, config.RECIPES_ENVIRONMENT, book.reference),
      book: {
        start: async (pool) => {
          await Promise.all([book.start(pool), hubspot.start()]);
        },
        stop: async () => {
          hubspot.stop();
          await book.stop();
        },
      },
      effects: renderEffects(config, hubspot),
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
