import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where a project app has its cards, below its folder. */
export const CARDS = 'src/app/cards';

/** The card's file that says where the gateway is. */
export const GATEWAY_FILE = `${CARDS}/gateway.ts`;

export type FileState = 'new' | 'unchanged' | 'changed' | 'kept' | 'left out';

export interface PlannedFile {
  file: string;
  state: FileState;
  content: string;
}

/** The card's source as it ships, by the path in a project. The `#card/*` of package.json says where it stands. */
export function cardSources(): Map<string, string> {
  const manifest = require.resolve('#card/package.json');
  const names = readdirSync(dirname(manifest)).filter((name) => /\.tsx?$|^(package|tsconfig)\.json$/.test(name));
  const files = names.map((name) => `${CARDS}/${name}`).filter((file) => file !== GATEWAY_FILE);
  return new Map(
    files.sort().map((file) => [file, readFileSync(require.resolve(file.replace(CARDS, '#card')), 'utf8')]),
  );
}

/**
 * What becomes of the card's source in a project: all of it is written, or none. Where a file is not as it ships, somebody
 * changed it or it is of another version, and half of each would be no card: then it is kept, unless it is to be replaced.
 */
export function cardPlan(
  sources: ReadonlyMap<string, string>,
  present: (file: string) => string | undefined,
  replace: boolean,
): PlannedFile[] {
  const isKept = !replace && [...sources].some(([file, content]) => ![undefined, content].includes(present(file)));
  return [...sources].map(([file, content]) => {
    const state = stateOf(content, present(file));
    return { file, content, state: isKept ? keptAs[state] : state };
  });
}

const keptAs = { new: 'left out', changed: 'kept', unchanged: 'unchanged' } as const;

/** What writing a file changes. */
export const stateOf = (content: string, former: string | undefined): 'new' | 'unchanged' | 'changed' =>
  former === undefined ? 'new' : former === content ? 'unchanged' : 'changed';

/** The file that says where the card asks. */
export function gatewayText(gateway: string): string {
  const url = new URL(gateway).href.replace(/\/+$/, '').replaceAll("'", '%27');
  return `// Written by \`refrain init hubspot-app\`; \`permittedUrls.fetch\` of the app names the same address.
export const GATEWAY = '${url}';
`;
}
