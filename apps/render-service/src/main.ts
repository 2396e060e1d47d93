import { serve } from '#libs/platform';
import { ServiceRuntime } from '#libs/process';
import { AppModule } from './app.module';
import { renderConfig } from './render.config';

void serve(
  {
    name: 'render-service',
    config: renderConfig,
    module: (config, logger, env) => AppModule.for(config, logger, env),
    strategies: (app) => [app.get(ServiceRuntime).strategy],
  },
  process.env,
);
