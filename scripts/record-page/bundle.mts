import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { root } from '../infra/work-directory.mts';

const card = join(root, 'deploy/hubspot-app/src/app/cards');
const page = join(root, 'sandbox/record-page');

/** What HubSpot leaves out of a card, by the names under which its worker has it: one tree, one React. */
const workers: Record<string, string> = { react: 'React', '@remote-ui/react': 'RemoteUI' };

const leftToTheWorker: Plugin = {
  name: 'left-to-the-worker',
  setup({ onResolve, onLoad }) {
    const filter = /^(react|@remote-ui\/react)$/;
    onResolve({ filter }, ({ path }) => ({ path, namespace: 'worker' }));
    onLoad({ filter, namespace: 'worker' }, ({ path }) => ({ contents: `module.exports = self.${workers[path]}` }));
  },
};

/** What `refrain init hubspot-app` writes into the card's gateway.ts. */
const calls = (gateway: string): Plugin => ({
  name: 'gateway',
  setup({ onLoad }) {
    const filter = /[\\/]cards[\\/]gateway\.ts$/;
    onLoad({ filter }, () => ({ contents: `export const GATEWAY = ${JSON.stringify(gateway)}`, loader: 'ts' }));
  },
});

/** Builds the sandbox's record page and the card as HubSpot builds it, calling the given gateway, into a folder. */
export async function bundleRecordPage(out: string, gateway: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  const options: BuildOptions = {
    bundle: true,
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    absWorkingDir: root,
    logLevel: 'error',
  };
  await Promise.all([
    build({ ...options, entryPoints: [join(page, 'page.tsx')], outfile: join(out, 'page.js') }),
    build({ ...options, entryPoints: [join(page, 'worker.ts')], outfile: join(out, 'worker.js') }),
    build({
      ...options,
      entryPoints: [join(card, 'record-card.tsx')],
      outfile: join(out, 'card.js'),
      plugins: [leftToTheWorker, calls(gateway)],
    }),
  ]);
  copyFileSync(join(page, 'page.css'), join(out, 'page.css'));
}
