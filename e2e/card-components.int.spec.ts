import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync, type BuildOptions } from 'esbuild';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './testing/browser';

type Tests = Record<string, () => Promise<void>>;

const folder = mkdtempSync(join(tmpdir(), 'card-components-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The tests as one file: for the browser, and for node, which only learns their names. */
function bundled(file: string, options: BuildOptions): string {
  const outfile = join(folder, file);
  const entry = { entryPoints: [join(__dirname, 'card/component-tests.tsx')], outfile, bundle: true };
  // React's development build says more when a component does what it should not.
  const define = { 'process.env.NODE_ENV': '"development"' };
  buildSync({ ...entry, define, jsx: 'automatic', target: 'es2022', logLevel: 'error', ...options });
  return outfile;
}

const names = bundled('names.cjs', { format: 'cjs', platform: 'node' });
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { tests } = require(names) as { tests: Tests };

describe("HubSpot's card, in a browser", () => {
  let browser: Browser;
  const script = bundled('tests.js', { format: 'iife', globalName: 'card' });
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it.each(Object.keys(tests))('%s', async (name) => {
    const page = await browser.newPage();
    try {
      await page.addScriptTag({ path: script });
      await page.evaluate((name) => (globalThis as unknown as { card: { tests: Tests } }).card.tests[name]?.(), name);
    } finally {
      await page.close();
    }
  });
});
