import { serve } from '#libs/platform';
import { ServiceRuntime } from '#libs/process';
import { AppModule } from './app.module';
import { enrichmentConfig } from './enrichment.config';

void serve(
  {
    name: 'enrichment-service',
    config: enrichmentConfig,
    module: (config, logger, env) => AppModule.for(config, logger, env),
    strategies: (app) => [app.get(ServiceRuntime).strategy],
  },
  process.env,
);
