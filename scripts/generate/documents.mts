import { catalogs, messages, services, topics } from '#libs/contracts';
import { describeConfig, problems, version } from '#libs/platform';
import { askJsonSchema, casesJsonSchema, recipeJsonSchema, rowsJsonSchema } from '#libs/recipes';
import { asyncApi } from './asyncapi.mts';
import { cliPage } from './cli.mts';
import { connectionsSchema, endpointsSchema, systemsSchema, tenantsSchema } from './endpoints.mts';
import { eventsPage } from './events.mts';
import { expressionsPage } from './expressions.mts';
import { hubspotAppFiles } from './hubspot-app.mts';
import { problemsPage } from './problems.mts';
import { envExample, loadApps, settingsPage } from './settings.mts';
import { topicsPage } from './topics.mts';

/** Every generated file by its path: the same sources give the same bytes on every machine. */
export async function documents(): Promise<Record<string, string>> {
  const apps = await loadApps(describeConfig);
  return {
    '.env.example': envExample(apps),
    ...(await hubspotAppFiles()),
    'docs/reference/ask-rows.schema.json': jsonOf(rowsJsonSchema()),
    'docs/reference/ask.schema.json': jsonOf(askJsonSchema()),
    'docs/reference/asyncapi.yaml': asyncApi({ version, topics, messages }),
    'docs/reference/cli.md': await cliPage(),
    'docs/reference/connections.schema.json': await connectionsSchema(),
    'docs/reference/endpoints.schema.json': await endpointsSchema(),
    'docs/reference/events.md': eventsPage(catalogs),
    'docs/reference/expressions.md': await expressionsPage(),
    'docs/reference/problems.md': problemsPage(problems),
    'docs/reference/recipe-cases.schema.json': jsonOf(casesJsonSchema()),
    'docs/reference/recipe.schema.json': jsonOf(recipeJsonSchema()),
    'docs/reference/settings.md': settingsPage(apps),
    'docs/reference/systems.schema.json': await systemsSchema(),
    'docs/reference/tenants.schema.json': await tenantsSchema(),
    'docs/reference/topics.md': topicsPage(topics, messages, services),
  };
}

const jsonOf = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
