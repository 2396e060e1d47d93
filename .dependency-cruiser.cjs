const spec = '\\.spec\\.ts$';
const testing = '/testing/';
const forTests = `(${spec}|${testing})`;
const code = '^(apps|libs|sandbox|e2e|scripts|deploy)/';

/** Forbids `from` to import anything of the repository but itself and what is listed. */
const only = (name, from, comment, ...allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: forTests },
  to: { path: code, pathNot: [from, ...allowed] },
});

/** Forbids everyone but `owners` to import these npm packages. Specs may look from outside with any client. */
const ownedPackage = (name, packages, owners, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(apps|libs)/', pathNot: [owners, forTests] },
  to: { path: `(^|/)node_modules/(@types/)?(${packages})/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    only('contracts-stand-alone', '^libs/contracts/', 'Contracts are what everyone shares: they know nobody.'),
    only(
      'event-store-knows-contracts',
      '^libs/event-store/',
      'The relay takes `publish` as a function.',
      '^libs/contracts/',
    ),
    only('log-knows-contracts', '^libs/log/', 'The log carries records; it knows no store.', '^libs/contracts/'),
    only(
      'platform-stands-below-apps',
      '^libs/platform/',
      'What every app needs knows no business.',
      '^libs/contracts/',
    ),
    only('expressions-stand-alone', '^libs/expressions/', 'A language over data that is handed in knows nobody.'),
    only(
      'recipes-are-pure',
      '^libs/recipes/',
      'Recipes decide over inputs that are handed in.',
      '^libs/(contracts|expressions)/',
    ),
    only(
      'process-binds-store-and-log',
      '^libs/process/',
      'Arrows point one way: process → event-store, log → contracts.',
      '^libs/(contracts|event-store|log)/',
    ),
    only(
      'accounts-bind-store-and-hubspot',
      '^libs/accounts/',
      'Accounts are the settings, the store and the adapter together; whoever calls HubSpot stands above.',
      '^libs/(contracts|event-store|platform|vendors/hubspot)/',
    ),
    {
      ...only('vendors-know-nobody', '^libs/vendors/([^/]+)/', 'Vendors never see the store, Kafka or each other.'),
      to: { path: code, pathNot: ['^libs/vendors/($1|http)/', '^libs/contracts/'] },
    },
    {
      name: 'apps-meet-on-topics',
      comment: 'An app never imports an app, nor the sandbox: they meet on topics and over HTTP.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: code, pathNot: ['^apps/$1/', '^libs/'] },
    },
    {
      name: 'libs-know-no-app',
      comment: 'Apps use libs, never the other way.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: code, pathNot: '^libs/' },
    },
    {
      name: 'sandbox-shares-no-code',
      comment: 'The sandbox is a stand-in for others: shared code would share its mistakes.',
      severity: 'error',
      from: { path: '^sandbox/' },
      to: { path: '^(apps|libs|scripts|e2e|deploy)/' },
    },
    only('card-stands-alone', '^deploy/', 'HubSpot builds the folder of the card, and knows nothing beside it.'),
    {
      name: 'contracts-import-zod-only',
      comment: 'Contracts can be read anywhere, also where there is no Node.',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: forTests },
      to: { dependencyTypesNot: ['local', 'aliased', 'aliased-subpath-import'], pathNot: '(^|/)node_modules/zod/' },
    },
    ownedPackage('kafka-client-only-in-log', 'kafkajs', '^libs/log/', 'The Kafka client lives behind our own port.'),
    ownedPackage(
      'database-client-only-in-event-store',
      'pg|typeorm',
      '^libs/event-store/',
      'SQL lives in libs/event-store, which also gives out the type Pool.',
    ),
    ownedPackage(
      'hubspot-sdk-only-in-its-vendor',
      '@hubspot/[^/]+',
      '^libs/vendors/hubspot/',
      'One adapter per vendor.',
    ),
    ownedPackage(
      's3-sdk-only-in-its-vendor',
      '@aws-sdk/[^/]+',
      '^libs/vendors/object-store/',
      'One adapter per vendor.',
    ),
    ownedPackage('openai-sdk-only-in-its-vendor', 'openai', '^libs/vendors/openai/', 'One adapter per vendor.'),
    {
      name: 'nest-at-the-rim',
      comment: 'Nest binds at the rim; these rooms work without it.',
      severity: 'error',
      from: { path: '^libs/(contracts|event-store|expressions|recipes|vendors)/' },
      to: { path: '(^|/)node_modules/@nestjs/' },
    },
    {
      name: 'rooms-are-entered-by-their-index',
      comment: "A room's index says what it offers; the rest is its own.",
      severity: 'error',
      from: { path: '^(apps/[^/]+|libs/vendors/[^/]+|libs/[^/]+)/', pathNot: forTests },
      to: { path: '^libs/', pathNot: ['^$1/', '^libs/(vendors/)?[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'testing-only-for-specs',
      comment: 'What serves tests stays out of what runs.',
      severity: 'error',
      from: { pathNot: [forTests, '^e2e/'] },
      to: { path: testing },
    },
    {
      name: 'no-spec-is-imported',
      severity: 'error',
      from: {},
      to: { path: spec },
    },
    {
      name: 'no-circles',
      comment: 'Also not by types: what depends on each other is one thing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that no running code imports is a program, a test, or dead.',
      severity: 'error',
      from: { pathNot: forTests },
      module: {
        path: '^(apps|libs|sandbox/src|scripts)/.*[jt]s$',
        pathNot: [
          forTests,
          '/main\\.m?ts$',
          '-thread\\.ts$',
          '^scripts/start\\.mjs$',
          '^scripts/test/global-(setup|teardown)\\.mts$',
        ],
        numberOfDependentsLessThan: 1,
      },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages-only',
      comment: 'What runs in production stands in dependencies.',
      severity: 'error',
      from: { path: '^(apps|libs|sandbox/src)/', pathNot: forTests },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
