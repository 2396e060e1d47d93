import { type Browser, chromium } from 'playwright-core';

const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** A browser of this run's own, by the Chromium that the run's set-up found. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'];
  if (!executablePath)
    throw new Error(process.env['CHROMIUM_MISSING'] ?? 'Chromium is needed: name it by CHROMIUM_PATH');
  return chromium.launch({ executablePath, args: flags });
}
