import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { needsOf, readRecipe } from '#libs/recipes';

const root = join(__dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/how-to/from-an-empty-developer-account.md');
const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];

it('the recipe that the guide shows is read, and needs what a first app is given', () => {
  const recipe = readRecipe(yaml, 'first-video.yaml');
  if ('faults' in recipe) throw new Error(recipe.faults.join('\n'));
  const { scopes, subscriptions } = needsOf([recipe.recipe], 'default');
  expect(scopes.filter(({ setup }) => !setup).map(({ scope }) => scope)).toEqual([
    'crm.objects.contacts.read',
    'crm.objects.contacts.write',
  ]);
  expect(subscriptions.filter(({ fate }) => !fate)).toMatchObject([{ object: 'contact', property: 'lifecyclestage' }]);
});

it('the settings that the guide names are settings', () => {
  const [, shown = ''] = /In `\.env`:\n\n```sh\n(.*?)```/s.exec(page) ?? [];
  const names = Object.keys(parseEnv(shown)).map((name) => name.replace(/_FILE$/, ''));
  expect(names.length).toBeGreaterThan(5);
  const known = new Set([...read('.env.example').matchAll(/^# ([A-Z_]+)=/gm)].map(([, name]) => name));
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});
