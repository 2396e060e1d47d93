import { serve } from '#libs/platform';
import { appModule } from './app.module';
import { gatewayConfig } from './gateway.config';

void serve({ name: 'gateway', config: gatewayConfig, module: appModule }, process.env);
