import type { Command } from 'commander';
import { addInitHeygen } from './init-heygen';
import { addInitHubspot } from './init-hubspot';
import { addInitHubspotApp } from './init-hubspot-app';
import { addInitHubspotWebhooks } from './init-hubspot-webhooks';

/** `refrain init`: what must be there before the hub can work for an account. */
export function addInit(program: Command): void {
  const init = program.command('init').description('prepare a vendor account');
  addInitHubspot(init);
  addInitHubspotApp(init);
  addInitHubspotWebhooks(init);
  addInitHeygen(init);
}
