import { CST, type Document, isScalar, Lexer, type Node, parseDocument, visit, type YAMLError } from 'yaml';

/** How long a text may be, in characters, with its aliases written out. */
const LONGEST = 100_000;
/** How deep it may nest; a column of indentation counts as a level. */
const DEEPEST = 100;

/** What is wrong, and at which character. */
export interface YamlFault {
  offset: number;
  message: string;
}

/** Reads one document of plain YAML, within bounds of length and depth; tells what is wrong and never throws. */
export function readYaml(text: string): { faults: YamlFault[]; document?: Document.Parsed; value?: unknown } {
  if (text.length > LONGEST) return { faults: [tooLong(LONGEST)] };
  const deep = tooDeep(text);
  if (deep !== undefined)
    return { faults: [{ offset: deep, message: `it nests deeper than ${String(DEEPEST)} levels` }] };
  // Tags that make anything but plain values, and other versions of YAML with more of them, are known to nobody here.
  const document = parseDocument(text, { schema: 'core', resolveKnownTags: false, prettyErrors: false });
  const said = [...document.errors, ...document.warnings].map(faultOf);
  const faults = said.length > 0 ? said : faultsIn(document, text.length);
  return faults.length > 0 ? { faults, document } : { faults, document, value: document.toJS({ maxAliasCount: -1 }) };
}

const tooLong = (offset: number): YamlFault => ({
  offset,
  message: `it is longer than ${String(LONGEST)} characters, aliases written out`,
});

const faultOf = ({ code, message, pos: [offset] }: YAMLError): YamlFault => ({
  offset,
  message: code === 'MULTIPLE_DOCS' ? 'another document begins: a file holds one' : (message.split('\n')[0] ?? ''),
});

/**
 * Where the text nests too deep. It is asked before the text is parsed, since that walks down every level, and at some
 * depth, which the machine decides, no further.
 */
function tooDeep(text: string): number | undefined {
  let offset = 0;
  let flow = 0;
  let line = 0;
  let before: string | null = 'newline';
  for (const token of new Lexer().lex(text)) {
    const type: string | null = before === 'scalar' ? 'content' : CST.tokenType(token);
    if (type === 'newline') line = 0;
    else if (type === 'space' && before === 'newline') line = token.length;
    else if (type === 'flow-error-end') flow = 0;
    else if (closing.has(type)) flow = Math.max(0, flow - 1);
    else if (opening.has(type)) flow += 1;
    else if (indicating.has(type) && flow === 0) line += 1;
    if ((opening.has(type) || indicating.has(type)) && flow + line > DEEPEST) return offset;
    if (!marks.has(type)) offset += token.length;
    before = type;
  }
  return undefined;
}

const opening = new Set<string | null>(['flow-seq-start', 'flow-map-start']);
const closing = new Set<string | null>(['flow-seq-end', 'flow-map-end']);
const indicating = new Set<string | null>(['seq-item-ind', 'explicit-key-ind', 'map-value-ind']);
/** What the lexer says of the text, and which does not stand in it. */
const marks = new Set<string | null>(['doc-mode', 'flow-error-end', 'scalar']);

/** Aliases that lead nowhere, into themselves or too far, and keys that are no texts. */
function faultsIn(document: Document.Parsed, length: number): YamlFault[] {
  const faults: YamlFault[] = [];
  const anchors = new Map<string, Node>();
  /** By how much each node grows where the aliases in it are written out. */
  const growth = new Map<unknown, number>();
  visit(document, {
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Pair: (_, { key }) => {
      if (key !== null && !isScalar(key)) faults.push({ offset: startOf(key), message: 'a key must be a text' });
    },
    Alias: (_, alias, path) => {
      const meant = anchors.get(alias.source);
      const offset = startOf(alias);
      if (!meant) faults.push({ offset, message: `there is no &${alias.source} before *${alias.source}` });
      else if (path.includes(meant))
        faults.push({ offset, message: `*${alias.source} stands within &${alias.source}` });
      else {
        const grows = lengthOf(meant) + (growth.get(meant) ?? 0);
        for (const above of path) growth.set(above, (growth.get(above) ?? 0) + grows);
        if (length + (growth.get(document) ?? 0) <= LONGEST) return undefined;
        faults.push(tooLong(offset));
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return faults;
}

const startOf = (node: unknown): number => (node as Partial<Node>).range?.[0] ?? 0;
const lengthOf = ({ range }: Node): number => (range ? range[1] - range[0] : 0);
