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

/** A suite measures on a broker and a database, and hands its figures over as they come. */
export type Suite = (
  infra: { kafkaBrokers: string; databaseUrl: string },
  figure: (f: Figure) => void,
  size: { records?: number },
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
    const size = values.records === undefined ? {} : { records: Number(values.records) };
    const tell = (figure: Figure) => {
      figures.push(figure);
      console.log(JSON.stringify(figure));
    };
    await suite(infra, tell, size);
  }
} finally {
  if ('stop' in infra) await infra.stop();
}
if (values.json) writeFileSync(values.json, figures.map((figure) => `${JSON.stringify(figure)}\n`).join(''));
process.exit(values.assert && figures.some((figure) => !figure.ok) ? 1 : 0);
