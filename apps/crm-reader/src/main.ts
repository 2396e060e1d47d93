import { serve } from '#libs/platform';
import { ServiceRuntime } from '#libs/process';
import { AppModule } from './app.module';
import { sweepConfig } from './sweep.config';

void serve(
  {
    name: 'crm-reader',
    config: sweepConfig,
    module: (config, logger, env) => AppModule.for(config, logger, env),
    strategies: (app) => [app.get(ServiceRuntime).strategy],
  },
  process.env,
);
