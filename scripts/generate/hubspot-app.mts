import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Needs } from '#libs/recipes';
import { loadRecipes, needsOf } from '#libs/recipes';
import { root } from '../infra/work-directory.mts';

interface HubspotApp {
  hubspotApp(needs: Needs, options: { target: string }): Record<string, object>;
  appText(content: object): string;
}

/** The address stands in for whoever uploads the project: `refrain init hubspot-app` puts theirs there. */
const TARGET = 'https://hub.example.com/webhooks/hubspot';

/** The project of a HubSpot app for the shipped recipes, as `refrain init hubspot-app` writes it. */
export async function hubspotAppFiles(): Promise<Record<string, string>> {
  const built = pathToFileURL(join(root, 'dist/apps/cli/src/hubspot-app.js')).href;
  const { hubspotApp, appText } = (await import(built)) as HubspotApp;
  const app = hubspotApp(needsOf(loadRecipes(join(root, 'recipes')), 'default'), { target: TARGET });
  return Object.fromEntries(
    Object.entries(app).map(([file, content]) => [`deploy/hubspot-app/${file}`, appText(content)]),
  );
}
