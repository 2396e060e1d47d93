// `npm run bench -- <suite…> [--assert] [--json FILE] [--records N]`: each figure is a line of JSON with what it is measured against.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../build.mts';
import { provideInfra } from '../infra/provide.mts';
import { findStanding } from '../infra/standing.mts';
import { root } from '../infra/work-directory.mts';

/** One figure. `against` says what `ratio` compares it with; `ok` whether the ratio keeps to the target. */
export interface Figure {
  suite: string;
  name: string;
  value: number;
  unit: string;
  against: string;
  ratio: number;
  target: string;
  ok: boolean;
}

/** What a suite may be told: how much to measure, and where peers are that the benches cannot install themselves. */
export interface Wishes {
  records?: number;
  /** Path of the binary, from `PEER_REDPANDA_CONNECT`. */
  redpandaConnect?: string;
}

/** A suite measures on a broker and a database, and hands its figures over as they come. */
export type Suite = (
  infra: { kafkaBrokers: string; databaseUrl: string },
  figure: (f: Figure) => void,
  wishes: Wishes,
) => Promise<void>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { assert: { type: 'boolean' }, json: { type: 'string' }, records: { type: 'string' } },
});
const unknown = positionals.filter(
  (suite) => !/^[a-z-]+$/.test(suite) || !existsSync(join(root, 'bench', `${suite}.mts`)),
);
if (positionals.length === 0 || unknown.length > 0) {
  console.error(
    `Usage: npm run bench -- <suite…> [--assert] [--json FILE] [--records N]; no suite: ${unknown.join(', ') || 'none given'}`,
  );
  process.exit(2);
}
await build();
const standing = await findStanding();
const infra = standing ?? (await provideInfra());
const figures: Figure[] = [];
try {
  for (const name of positionals) {
    const { suite } = (await import(join(root, 'bench', `${name}.mts`))) as { suite: Suite };
    const redpandaConnect = process.env.PEER_REDPANDA_CONNECT;
    const wishes = {
      ...(values.records === undefined ? {} : { records: Number(values.records) }),
      ...(redpandaConnect ? { redpandaConnect } : {}),
    };
    const tell = (figure: Figure) => {
      figures.push(figure);
      console.log(JSON.stringify(figure));
    };
    await suite(infra, tell, wishes);
  }
} finally {
  if ('stop' in infra) await infra.stop();
}
if (values.json) writeFileSync(values.json, figures.map((figure) => `${JSON.stringify(figure)}\n`).join(''));
process.exit(values.assert && figures.some((figure) => !figure.ok) ? 1 : 0);
