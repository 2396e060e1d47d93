import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** Where settings come from: the environment of the process, passed in by an app's main. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting as reference documents list it. */
export interface SettingDescription {
  name: string;
  secret: boolean;
  required: boolean;
  /** As one would write it, where it is a setting's own text; else as the app gets it. */
  default?: unknown;
  says: string;
}

/** Thrown with every fault of the configuration at once; its message holds no value of a setting. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

/**
 * Reads all settings of a schema or none. Every setting may stand as `NAME` or as `NAME_FILE`, the path of a file whose
 * trimmed content is the value; an empty one counts as missing. Throws one {@link ConfigError} that lists all faults.
 */
export function loadConfig<S extends z.ZodObject>(schema: S, env: Environment): z.infer<S> {
  const settings = describeConfig(schema);
  const faults = new Map<string, string>();
  const values: Record<string, string> = {};
  for (const { name } of settings) {
    const read = readSetting(name, env);
    if (read.fault) faults.set(name, `${name}: ${read.fault}`);
    else if (read.value) values[name] = read.value;
  }
  const parsed = schema.safeParse(values);
  if (parsed.success && faults.size === 0) return parsed.data;
  const issues = (parsed.error?.issues ?? []).filter((issue) => !faults.has(String(issue.path[0] ?? '')));
  throw new ConfigError([...faults.values(), ...issues.map((issue) => faultOf(issue, settings, values))].sort());
}

function faultOf(issue: z.core.$ZodIssue, settings: SettingDescription[], values: Record<string, string>): string {
  const name = String(issue.path[0] ?? '');
  if (!name) return issue.message;
  const setting = settings.find((s) => s.name === name);
  // A message could repeat the value; of a secret not even that is risked.
  const wrong = !(name in values) ? 'is missing' : setting?.secret ? 'is malformed (value not shown)' : issue.message;
  const remedy = setting?.says ? ` (${setting.says})` : '';
  return `${name}: ${wrong}; set ${name} or ${name}_FILE${remedy}`;
}

function readSetting(name: string, env: Environment): { value?: string; fault?: string } {
  const direct = env[name] || undefined;
  const file = env[`${name}_FILE`] || undefined;
  if (file === undefined) return { value: direct };
  if (direct !== undefined) return { fault: `is set twice; keep either ${name} or ${name}_FILE` };
  try {
    return { value: readFileSync(file, 'utf8').trim() };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    return { fault: `${name}_FILE cannot be read (${code}); point it at a readable file` };
  }
}

/** Lists the settings of a schema in its order, for reference documents and `.env.example`. */
export function describeConfig(schema: z.ZodObject): SettingDescription[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const type = field as z.ZodType;
    const empty = type.safeParse(undefined);
    return {
      name,
      secret: isSecret(type),
      required: !empty.success,
      default: empty.success ? defaultOf(type, empty.data) : undefined,
      says: type.description ?? '',
    };
  });
}

// `duration().prefault('10s')` is told as 10s, not as the milliseconds that the app gets.
function defaultOf(type: z.ZodType, parsed: unknown): unknown {
  const def = type.def as { type: string; defaultValue?: unknown };
  return def.type === 'prefault' ? def.defaultValue : parsed;
}

function isSecret(type: z.ZodType): boolean {
  if (type.meta()?.['secret'] === true) return true;
  const inner = type.def as { innerType?: z.ZodType; in?: z.ZodType };
  const next = inner.innerType ?? inner.in;
  return next !== undefined && isSecret(next);
}
