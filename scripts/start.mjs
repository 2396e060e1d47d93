// Entry of `npm start`: Node's own modules only, because nothing is installed when it first runs.
import { ensureInstalled, runWithNode24 } from './bootstrap.mjs';
import { readFlags } from './start/flags.mjs';

const argv = process.argv.slice(2);
readFlags(argv); // wrong usage and --help end here, before anything is installed
await ensureInstalled();
await runWithNode24(['--disable-warning=TimeoutNegativeWarning', 'scripts/start/main.mts', ...argv]);
