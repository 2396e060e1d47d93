// Nest 12 is published as ES modules only: run with --experimental-vm-modules, as scripts/test/main.mts does.
const base = {
  rootDir: __dirname,
  roots: ['apps', 'libs', 'e2e']
    .filter((folder) => require('node:fs').existsSync(`${__dirname}/${folder}`))
    .map((folder) => `<rootDir>/${folder}`),
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^#libs/(.*)$': '<rootDir>/libs/$1/src/index.ts' },
  testEnvironment: 'node',
  // Beside what else is kept: the folder for temporary files is another one in each run.
  cacheDirectory: `${__dirname}/.refrain/jest`,
};
const infra = {
  globalSetup: '<rootDir>/scripts/test/global-setup.mts',
  globalTeardown: '<rootDir>/scripts/test/global-teardown.mts',
};

/** @type {import('jest').Config} */
module.exports = {
  maxWorkers: 2,
  testTimeout: 120_000,
  projects: [
    { ...base, displayName: 'unit', testMatch: ['**/*.unit.spec.ts'] },
    { ...base, ...infra, displayName: 'int', testMatch: ['**/*.int.spec.ts'] },
    {
      ...base,
      ...infra,
      displayName: 'e2e',
      testMatch: ['**/*.e2e.spec.ts'],
      testEnvironment: '<rootDir>/e2e/testing/environment.ts',
    },
    {
      ...base,
      ...infra,
      displayName: 'full',
      testMatch: ['**/*.full.spec.ts'],
      testEnvironment: '<rootDir>/e2e/testing/environment.ts',
    },
  ],
};
