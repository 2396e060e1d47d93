import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '..');

/** Files outside libs/event-store that may read by SQL: read models, each named here. */
const readModels: string[] = [];

const runs = globSync('{apps,libs}/**/src/**/*.ts', { cwd: root })
  .filter((file) => !/\.spec\.ts$|\/testing\//.test(file))
  .sort()
  .map((file) => ({ file, source: parse(file) }));

const statement =
  /\bselect\s[^;]*\sfrom\s|^\s*select\s+[\d*\w]+(\(|\s*$)|\binsert\s+into\s|\bupdate\s+\w+\s+set\s|\bdelete\s+from\s|\b(create|alter|drop)\s+(table|index|function|sequence)\s/i;
const vendorClients = [
  'HeygenEndpoints',
  ...['HubspotAccounts', 'HubspotOauth', 'HeygenClient', 'LegacyHeygenClient', 'OpenAiClient'],
  'ObjectStore',
];
/** Where accounts are opened, their tokens got and kept: no call there does anything in an account. */
const opensAccounts = /^libs\/accounts\/src\/|^apps\/gateway\/src\/install\//;
/** Where a person's click asks HeyGen for a video's address (decision 52): a look, which is owed to nobody. */
const looks = 'apps/gateway/src/link/open.ts';
/** Where HeyGen is asked after a start what it has sent (decision 55): a look, too. */
const history = 'apps/gateway/src/heygen/open-history.ts';
const sdks = ['@hubspot/api-client', 'openai', '@aws-sdk/client-s3'];
const effectsOrCli = /^apps\/[^/]+\/src\/[^/]+\.effects\.ts$|^apps\/cli\/src\//;

it.each([
  ['select 1', true],
  ['select name, due from effect where id = $1', true],
  ['insert into event values ($1)', true],
  ['update effect set state = $1', true],
  ['select a contact in the portal', false],
  ['create missing topics, add partitions', false],
])('%j counts as SQL: %s', (text, is) => {
  expect(statement.test(text)).toBe(is);
});

it('SQL stands only in libs/event-store and in the named read models', () => {
  const found = filesWhere((node) => isSql(node) || isCallOf('query', node));
  expect(found.some(inEventStore)).toBe(true);
  expect(found.filter((file) => !inEventStore(file) && !readModels.includes(file))).toEqual([]);
});

it('a vendor is called only by kinds of effects and by the command line', () => {
  const isOfVendor = (file: string) => file.startsWith('libs/vendors/');
  const clients = filesWhere((node) => isNewOf(vendorClients, node)).filter((file) => !isOfVendor(file));
  expect(clients).toEqual(expect.arrayContaining(['apps/enrichment-service/src/ask.effects.ts']));
  const mayCall = (file: string) =>
    effectsOrCli.test(file) || opensAccounts.test(file) || [looks, history].includes(file);
  expect(clients.filter((file) => !mayCall(file))).toEqual([]);

  // Types may be known anywhere; anything that can act may not.
  const rooms = filesWhere((node) => importsValueOf(/^#libs\/vendors\/(?!http$)/, node));
  expect(rooms).toEqual(expect.arrayContaining(['apps/render-service/src/render.effects.ts']));
  expect(rooms.filter((file) => !mayCall(file))).toEqual([]);

  const uses = (wanted: (method: string) => boolean) =>
    filesWhere(
      (node) =>
        ts.isPropertyAccessExpression(node) &&
        ts.isIdentifier(node.expression) &&
        node.expression.text === 'heygen' &&
        wanted(node.name.text),
    ).includes(looks);
  expect([uses((method) => method === 'status'), uses((method) => method !== 'status')]).toEqual([true, false]);
});

it('nobody but an adapter speaks to a vendor past its client', () => {
  const past = filesWhere((node) => sdks.some((sdk) => importsValueOf(new RegExp(`^${sdk}(/|$)`), node)));
  expect(past.length).toBeGreaterThan(0);
  const raw = filesWhere(
    (node) =>
      (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'fetch') ||
      importsValueOf(/^(node:)?(https?|undici|axios)$/, node),
  );
  // These listen and call nobody; the last one calls our own gateway.
  const servers = [
    ...['libs/platform/src/metrics.ts', 'libs/platform/src/tls-listener.ts'],
    'apps/cli/src/doctor/door.ts',
  ];
  const others = [...past, ...raw].filter((file) => !file.startsWith('libs/vendors/') && !servers.includes(file));
  expect(others).toEqual([]);
});

it('only the effect runner performs effects', () => {
  expect(filesWhere((node) => isCallOf('perform', node))).toEqual(['libs/process/src/effect-runner.ts']);
});

it('the Kafka client stands only in libs/log', () => {
  const found = filesWhere((node) => specifierOf(node) === 'kafkajs');
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter((file) => !file.startsWith('libs/log/'))).toEqual([]);
});

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
}

function filesWhere(matches: (node: ts.Node) => boolean): string[] {
  const holds = (node: ts.Node): boolean => matches(node) || (ts.forEachChild(node, (child) => holds(child)) ?? false);
  return runs.filter(({ source }) => holds(source)).map(({ file }) => file);
}

function inEventStore(file: string): boolean {
  return file.startsWith('libs/event-store/');
}

function isSql(node: ts.Node): boolean {
  if (ts.isStringLiteralLike(node)) return statement.test(node.text);
  if (!ts.isTemplateExpression(node)) return false;
  const text = [node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join('x');
  return statement.test(text);
}

function isCallOf(method: string, node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === method
  );
}

function isNewOf(classes: string[], node: ts.Node): boolean {
  return ts.isNewExpression(node) && ts.isIdentifier(node.expression) && classes.includes(node.expression.text);
}

/** What an import, an export from, `import()` or `require()` names; undefined for everything else. */
function specifierOf(node: ts.Node): string | undefined {
  const named =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isCallExpression(node) && /^(import|require)$/.test(node.expression.getText())
        ? node.arguments[0]
        : undefined;
  return named && ts.isStringLiteralLike(named) ? named.text : undefined;
}

function importsValueOf(room: RegExp, node: ts.Node): boolean {
  if (!room.test(specifierOf(node) ?? '')) return false;
  if (ts.isExportDeclaration(node)) return !node.isTypeOnly;
  if (!ts.isImportDeclaration(node)) return true;
  const clause = node.importClause;
  if (!clause) return true;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return false;
  const names = clause.namedBindings;
  if (clause.name || !names || ts.isNamespaceImport(names)) return true;
  return names.elements.some((name) => !name.isTypeOnly);
}
