import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const appsAndLibs = ['apps/*/src/**/*.ts', 'libs/**/src/**/*.ts'];
const testsOfAppsAndLibs = ['**/*.spec.ts', '**/testing/**'];

/** Only these may know the environment; everything else gets its settings as a parsed, typed argument. */
const readersOfTheEnvironment = [
  'apps/*/src/main.ts',
  'apps/cli/src/**/*.ts',
  'scripts/**',
  'sandbox/src/main.ts',
  'sandbox/test/**',
  'e2e/**',
  ...testsOfAppsAndLibs,
  '*.config.{js,mjs}',
];

const words = '[a-z0-9]+(-[a-z0-9]+)*';
const fileName = new RegExp(
  `^${words}(\\.(client|config|controller|decider|effects|handler|module|schema|source|d))?(\\.(unit|int|e2e|full)\\.spec|\\.test)?\\.(m?[jt]s|tsx)$`,
);
const vagueName = /(^|[-.])(manager|helpers?|utils?|common|base|impl)([-.]|$)/;

/** @type {import('eslint').Rule.RuleModule} */
const nameOfFile = {
  meta: { type: 'suggestion', schema: [] },
  create: (context) => ({
    Program(node) {
      const name = context.filename.split(/[\\/]/).at(-1) ?? '';
      if (!fileName.test(name)) context.report({ node, message: `${name} is not kebab-case with a role of the list.` });
      if (vagueName.test(name)) context.report({ node, message: `${name} does not say what the file is for.` });
    },
  }),
};

export default defineConfig(
  { ignores: ['**/node_modules/', 'dist/', '.refrain/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { house: { rules: { 'file-name': nameOfFile } } },
    rules: {
      eqeqeq: 'error',
      'no-empty': 'error', // a comment in the block makes it not empty
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Take settings as an argument; main.ts parses them.' },
      ],
      'no-restricted-imports': ['error', { paths: [{ name: 'node:process', message: 'Use the global process.' }] }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      // `async` without `await` promises a rejection instead of a throw.
      '@typescript-eslint/require-await': 'off',
      // Ports are objects of functions that their users take apart; none of them asks for `this`.
      '@typescript-eslint/unbound-method': 'off',
      // Test frameworks keep the promises of their own calls.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
    },
  },
  { files: ['{apps,libs,e2e,scripts,sandbox,deploy}/**'], rules: { 'house/file-name': 'error' } },
  { files: readersOfTheEnvironment, rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['apps/cli/src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "MemberExpression[object.name='process'][property.name='env']:not(CallExpression[callee.name='loadConfig'] > *):not(NewExpression[callee.name='TenantAccounts'] > *)",
          message: 'A command reads its settings by loadConfig(schema, process.env), and its accounts by withAccounts.',
        },
      ],
    },
  },
  { files: ['apps/**/*.ts', 'libs/**/*.ts'], rules: { 'no-console': 'error' } },
  {
    files: appsAndLibs,
    ignores: testsOfAppsAndLibs,
    rules: {
      complexity: ['error', 15],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  // Matchers such as expect.any() are `any` by design.
  {
    files: testsOfAppsAndLibs,
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unsafe-argument': 'off' },
  },
  // The sandbox takes bodies of any shape, as the vendors do, and names what it was given.
  { files: ['sandbox/**'], rules: { '@typescript-eslint/no-base-to-string': 'off' } },
  {
    files: ['sandbox/test/**'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['scripts/**/*.mjs'], rules: { 'no-undef': 'off' } }, // the compiler checks them
  {
    files: ['**/*.{js,mjs,cjs}'],
    ignores: ['scripts/**'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: { module: 'readonly', require: 'readonly', __dirname: 'readonly', process: 'readonly' },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
