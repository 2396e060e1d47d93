import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface PackageFile {
  version: string;
}

/** The version of the running code, as package.json says it. */
export const version: string = (JSON.parse(readFileSync(join(root(), 'package.json'), 'utf8')) as PackageFile).version;

// Beside the sources in a checkout, above `dist` where the code was built.
function root(): string {
  const above = join(__dirname, '../../..');
  return above.endsWith('dist') ? join(above, '..') : above;
}
