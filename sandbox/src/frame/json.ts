export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the value when it is an object, else an empty one, so that a body of any shape can be read without a throw. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Parses JSON, or gives the text back as it is. */
export function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const SECRET_KEYS = new Set([
  'access_token',
  'refresh_token',
  'client_secret',
  'signed_access_token',
  'secret',
  'hapikey',
  'tokenKey',
  'code_verifier',
]);

/** Copies a body without its secrets; `alsoHide` names further keys for one kind of path. */
export function withoutSecrets(value: unknown, alsoHide: ReadonlySet<string> = new Set()): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, alsoHide));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      (SECRET_KEYS.has(key) || alsoHide.has(key)) && typeof item === 'string'
        ? '[hidden]'
        : withoutSecrets(item, alsoHide),
    ]),
  );
}
