// `node scripts/bootstrap.mjs record-page --gateway URL --out FOLDER`: what the HubSpot sandbox needs as RECORD_PAGE_DIR.
import { parseArgs } from 'node:util';
import { bundleRecordPage } from './bundle.mts';

const { gateway, out } = flags();
await bundleRecordPage(out, gateway);

function flags(): { gateway: string; out: string } {
  try {
    const { gateway, out } = parseArgs({ options: { gateway: { type: 'string' }, out: { type: 'string' } } }).values;
    if (gateway === undefined || out === undefined) throw new Error('--gateway and --out are needed');
    return { gateway: gateway.replace(/\/+$/, ''), out };
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nUsage: node scripts/bootstrap.mjs record-page --gateway URL --out FOLDER`,
    );
    process.exit(2);
  }
}
