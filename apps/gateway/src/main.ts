import { serve } from '#libs/platform';
import { appModule } from './app.module';
import { gatewayConfig, tlsOf } from './gateway.config';

void serve({ name: 'gateway', config: gatewayConfig, module: appModule, tls: tlsOf }, process.env);
