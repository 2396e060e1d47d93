const OWN = ['contacts', 'companies', 'deals'];
const NAMES: Record<string, string> = { '0-1': 'contacts', '0-2': 'companies', '0-3': 'deals', '0-5': 'tickets' };
const VERSIONS = '(?:v3|2026-03|2026-09)';
const OBJECTS = new RegExp(`^/crm/(?:v[34]/objects|objects/${VERSIONS})/([^/]+)(/.*)?$`);
const PROPERTIES = new RegExp(`^/crm/(?:v3/properties|properties/${VERSIONS})/([^/]+)`);
const FURTHER: [RegExp, (write: boolean) => string][] = [
  [/^\/crm\/(v3\/owners|owners\/)/, () => 'crm.objects.owners.read'],
  [/^\/crm\/(v3\/lists|lists\/)/, (write) => `crm.lists.${write ? 'write' : 'read'}`],
  [/^\/crm-object-schemas\//, (write) => `crm.schemas.custom.${write ? 'write' : 'read'}`],
  [/^\/integrators\/timeline\//, () => 'timeline'],
  [/^\/webhooks-journal\/journal\//, () => 'developer.webhooks_journal.read'],
  [
    /^\/webhooks-journal\/subscriptions\//,
    (write) => `developer.webhooks_journal.subscriptions.${write ? 'write' : 'read'}`,
  ],
];

const plain = (type: string): string => NAMES[type] ?? (OWN.includes(`${type}s`) ? `${type}s` : type);

/** What a token may do of which nothing else was said. */
export const ALL_SCOPES: readonly string[] = [
  'oauth',
  'tickets',
  'timeline',
  ...[...OWN, 'custom'].flatMap((name) =>
    ['objects', 'schemas'].flatMap((of) => ['read', 'write'].map((way) => `crm.${of}.${name}.${way}`)),
  ),
  'crm.objects.owners.read',
  'crm.lists.read',
  'crm.lists.write',
  'sales-email-read',
  'communication_preferences.read',
  'communication_preferences.read_write',
  'automation.sequences.read',
  'automation.sequences.enrollments.write',
];

function schemaScope(name: string, way: string): string {
  if (name === 'tickets') return name;
  return `crm.schemas.${name.startsWith('2-') ? 'custom' : OWN.includes(name) ? name : 'contacts'}.${way}`;
}

/** The scopes of which a call needs any one; none where every token may make it. */
export function scopesFor(method: string, path: string): string[] {
  const [, type, rest = ''] = OBJECTS.exec(path) ?? [];
  const reads = method === 'GET' || /\/(search|batch\/read)$/.test(rest);
  const way = reads ? 'read' : 'write';
  if (type !== undefined) {
    const name = plain(type);
    if (name === 'tickets') return ['tickets'];
    if (name.startsWith('2-')) return [`crm.objects.custom.${way}`];
    // Tasks, notes and other activities are guarded by those of contacts.
    return [`crm.objects.${OWN.includes(name) ? name : 'contacts'}.${way}`];
  }
  const [, defined] = PROPERTIES.exec(path) ?? [];
  if (defined !== undefined) return [schemaScope(plain(defined), method === 'GET' ? 'read' : 'write')];
  return FURTHER.filter(([at]) => at.test(path)).map(([, scope]) => scope(method !== 'GET'));
}
