import type { DynamicModule } from '@nestjs/common';
import { TenantAccounts } from '#libs/accounts';
import { openKinds, type Pool, publishedRecipes, readForeignRows } from '#libs/event-store';
import {
  budgetWatch,
  declaredBudgets,
  type Environment,
  HealthModule,
  type Logger,
  sealerOf,
  version,
} from '#libs/platform';
import { connectionOf, keptDaysOf, type Sealing, ServiceRuntime } from '#libs/process';
import { type Recipe, RecipeBook, recipeBudgets, referenceOf } from '#libs/recipes';
import type { EnrichmentConfig } from './enrichment.config';
import { EnrichmentController } from './enrichment.controller';
import { enrichmentEffects } from './enrichment.effects';
import { enrichmentProcess, service } from './enrichment.source';
import { FETCH_KINDS } from './fetch.decider';
import { Systems } from './systems';

/** enrichment-service: what recipes wait for → OpenAI's answers, and those of other systems → enrichment events. */
export class AppModule {
  static for(config: EnrichmentConfig, lines: Logger, env: Environment): DynamicModule {
    const book = RecipeBook.of(
      config,
      publishedRecipes,
      lines,
      referenceOf(config, { lines, env, rows: readForeignRows }),
    );
    const systems = new Systems(config.SYSTEMS_FILE, env, lines);
    const accounts = new TenantAccounts(config, env, lines);
    const { hubspot } = accounts;
    const runtime = ServiceRuntime.for({
      definition: enrichmentProcess(book.current, hubspot.appId, {
        environment: config.RECIPES_ENVIRONMENT,
        reference: book.reference,
        isDeclared: (system) => systems.get(system) !== undefined,
      }),
      book: {
        async start(pool: Pool) {
          await Promise.all([book.start(pool), accounts.start(pool)]);
          const owed = await openKinds(pool, service, FETCH_KINDS);
          systems.start(owed.map((kind) => kind.slice(FETCH_KINDS.length)));
        },
        async stop() {
          await Promise.all([book.stop(), systems.stop(), accounts.stop()]);
        },
      },
      effects: enrichmentEffects(config, systems, hubspot, lines, () => modelsOf(book.current())),
      sealing: sealingOf(config),
      spending: {
        budgets: () => ({ ...declaredBudgets(config), recipes: recipeBudgets(book.current()) }),
        ...budgetWatch(lines),
      },
      contentSecret: config.CONTENT_KEY,
      databaseUrl: config.DATABASE_URL,
      connection: connectionOf(config, service, lines),
      // Questions take long; reading and fetching find room beside them.
      concurrency: config.OPENAI_AT_ONCE + 20,
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

/** Records of questions are kept where there are keys to seal them. */
function sealingOf({ SEALING_KEY, REASONING_DAYS: days }: EnrichmentConfig): Sealing | undefined {
  if (!SEALING_KEY || days === 0) return undefined;
  const sealer = sealerOf(SEALING_KEY);
  return { days, seal: (text, place) => sealer.seal(text, place) };
}

const modelsOf = (recipes: readonly Recipe[]): string[] =>
  recipes.flatMap(({ steps }) => steps.flatMap((step) => (step.kind === 'ask' ? [step.model] : [])));
