import { serve } from '#libs/platform';
import { ServiceRuntime } from '#libs/process';
import { AppModule } from './app.module';
import { recordConfig } from './record.config';

void serve(
  {
    name: 'crm-writer',
    config: recordConfig,
    module: (config, logger, env) => AppModule.for(config, logger, env),
    strategies: (app) => [app.get(ServiceRuntime).strategy],
  },
  process.env,
);
