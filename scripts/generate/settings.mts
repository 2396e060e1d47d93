import { globSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { describeConfig, SettingDescription } from '#libs/platform';
import { root } from '../infra/work-directory.mts';
import { code, page, table } from './markdown.mts';

export interface App {
  name: string;
  settings: SettingDescription[];
}

type ConfigSchema = Parameters<typeof describeConfig>[0];

/** Every app that has a `*.config`, with the settings that its schemas declare. */
export async function loadApps(describe: typeof describeConfig): Promise<App[]> {
  const apps = new Map<string, SettingDescription[]>();
  for (const file of globSync('dist/apps/*/src/*.config.js', { cwd: root }).sort()) {
    const exported = (await import(pathToFileURL(join(root, file)).href)) as Record<string, unknown>;
    const name = file.split(sep)[2] ?? '';
    for (const schema of Object.values(exported).filter(isSchema)) {
      assertDefaultsCanBeWritten(file, schema, describe(schema));
      apps.set(name, [...(apps.get(name) ?? []), ...describe(schema)]);
    }
  }
  return [...apps].map(([name, settings]) => ({ name, settings: distinct(settings) }));
}

const isSchema = (value: unknown): value is ConfigSchema =>
  typeof value === 'object' && value !== null && 'shape' in value && 'safeParse' in value;

const distinct = (settings: SettingDescription[]): SettingDescription[] => [
  ...new Map(settings.map((setting) => [setting.name, setting])).values(),
];

// A default that is shown must be one that can be typed: `10s`, not the 10000 that an app would get.
function assertDefaultsCanBeWritten(file: string, schema: ConfigSchema, settings: SettingDescription[]): void {
  for (const setting of settings.filter(hasDefault)) {
    const field = schema.shape[setting.name] as { safeParse(value: unknown): { success: boolean } };
    if (!field.safeParse(String(setting.default)).success) {
      throw new Error(`${file}: the default of ${setting.name} cannot be written so; declare it with .prefault('…')`);
    }
  }
}

const hasDefault = (setting: SettingDescription): boolean => setting.default !== undefined && setting.default !== '';

export function settingsPage(apps: App[]): string {
  return page(
    'Settings',
    'All settings are environment variables, read once before an app listens; all faults are printed together. Each may ' +
      'also stand as `NAME_FILE`, the path of a file that holds the value: use this for secrets. An empty value counts as ' +
      'missing. [.env.example](../../.env.example) lists them for copying.',
    ...apps.flatMap(({ name, settings }) => [
      `## ${name}`,
      table(['Setting', 'Needed', 'Default', 'Says'], settings.map(row)),
    ]),
  );
}

const row = (setting: SettingDescription): string[] => [
  code(setting.name),
  setting.required ? 'yes' : 'no',
  hasDefault(setting) ? code(String(setting.default)) : '',
  setting.says + (setting.secret ? ' **(secret)**' : ''),
];

/** Every setting of every app, once, all commented out: a copy of it changes nothing until a line is filled in. */
export function envExample(apps: App[]): string {
  const settings = distinct(apps.flatMap((app) => app.settings)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const usersOf = (name: string) =>
    apps.filter((app) => app.settings.some((setting) => setting.name === name)).map((app) => app.name);
  const parts = settings.map((setting) => {
    const marks = [...(setting.secret ? ['secret'] : []), usersOf(setting.name).join(', ')];
    return `# ${setting.says} (${marks.join('; ')})\n# ${setting.name}=${hasDefault(setting) ? String(setting.default) : ''}`;
  });
  const head =
    '# Written by `npm run generate` from the code. Copy it to .env and fill in what you need. `npm start` stands in for\n' +
    '# every vendor of which nothing is said here. Each NAME may also be NAME_FILE, the path of a file with the value.';
  return `${[head, ...parts].join('\n\n')}\n`;
}
