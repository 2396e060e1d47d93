import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Needs } from '#libs/recipes';
import { loadRecipes, needsOf } from '#libs/recipes';
import { root } from '../infra/work-directory.mts';

interface HubspotApp {
  hubspotApp(needs: Needs, options: { gateway: string }): Record<string, object>;
  appText(content: object): string;
}

/** The address stands in for whoever uploads the project: `refrain init hubspot-app` puts theirs there. */
const GATEWAY = 'https://hub.example.com';

interface HubspotCard {
  GATEWAY_FILE: string;
  gatewayText(gateway: string): string;
}

/** The project of a HubSpot app for the shipped recipes, as `refrain init hubspot-app` writes it around the card's source. */
export async function hubspotAppFiles(): Promise<Record<string, string>> {
  const { hubspotApp, appText } = (await built('hubspot-app')) as HubspotApp;
  const { GATEWAY_FILE, gatewayText } = (await built('hubspot-card')) as HubspotCard;
  const app = hubspotApp(needsOf(loadRecipes(join(root, 'recipes')), 'default'), { gateway: GATEWAY });
  const texts = Object.entries(app).map(([file, content]) => [file, appText(content)]);
  return Object.fromEntries(
    [...texts, [GATEWAY_FILE, gatewayText(GATEWAY)]].map(([file, text]) => [`deploy/hubspot-app/${file}`, text]),
  ) as Record<string, string>;
}

const built = (module: string): Promise<unknown> =>
  import(pathToFileURL(join(root, `dist/apps/cli/src/${module}.js`)).href);
