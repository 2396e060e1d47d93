import { isDeepStrictEqual } from 'node:util';
import { bounds } from './bounds';
import { ExpressionFault, type FaultCode } from './fault';
import { keyFunctions } from './functions/keys';
import { tableFunctions } from './functions/tables';
import { type Callable, functionsByName, methodsByName, patternOf, typeNames } from './language';
import { nearest } from './nearest';
import { type Call, callOf, childrenOf, loopNames, type Node } from './tree';

/**
 * What may be read of a variable: `any` of it, or only `named` members, so that they are known before there is a value.
 */
export type Reading = 'any' | 'named';

export interface Reads {
  /** Paths of members by variable; an empty path is the whole variable. */
  paths: Map<string, string[][]>;
  tables: Set<string>;
  /** Whether it needs the secret of `token(…)`. */
  keyed: boolean;
}

/** Reads a syntax tree before its types are checked: finds what it reads, and throws ExpressionFault on what is not allowed. */
export function readsOf(root: Node, variables: Readonly<Record<string, Reading>>): Reads {
  const walk = new Walk(variables);
  walk.visit(root, new Set(), 1);
  return walk;
}

/** Names that a loop or `cel.bind` gave to something; they hide variables. */
type Bound = ReadonlySet<string>;

class Walk implements Reads {
  readonly paths = new Map<string, string[][]>();
  readonly tables = new Set<string>();
  keyed = false;

  constructor(private readonly variables: Readonly<Record<string, Reading>>) {}

  visit(node: Node, bound: Bound, depth: number): void {
    if (depth > bounds.depth) refuse('too-deep', node, 'It is nested too deeply', 'Split the expression in two.');
    const call = callOf(node);
    if (call) this.visitCall(node, call, bound, depth);
    else if (node.op === 'value') visitLiteral(node);
    else if (node.op === 'id' || node.op === '.' || node.op === '[]') this.visitRead(node, bound, depth);
    else for (const child of childrenOf(node)) this.visit(child, bound, depth + 1);
  }

  /** A variable, or something else, with the members read of it, as far as their names are known. */
  private visitRead(node: Node, bound: Bound, depth: number): void {
    let path: string[] = [];
    let at = node;
    let dynamic: Node | undefined;
    let level = depth;
    while (at.op === '.' || at.op === '[]') {
      const [left, right] = at.args as [Node, Node | string];
      const name = memberOf(right);
      level += 1;
      if (name === undefined) {
        this.visit(right as Node, bound, level);
        [path, dynamic] = [[], at];
      } else path.unshift(name);
      at = left;
    }
    if (at.op !== 'id') this.visit(at, bound, level);
    else if (!bound.has(at.args as string) && !(at === node && typeNames.has(at.args as string))) {
      this.noteRead(at, path, dynamic ?? at, bound);
    }
  }

  private noteRead(variable: Node, path: string[], whole: Node, bound: Bound): void {
    const name = variable.args as string;
    if (!Object.hasOwn(this.variables, name)) {
      const known = [...Object.keys(this.variables), ...bound];
      const remedy = remedyFor(name, known, `The variables are ${known.join(', ')}.`);
      refuse('unknown-variable', variable, `There is no variable ${name}`, remedy);
    }
    if (this.variables[name] === 'named' && path.length === 0) {
      refuse('dynamic-read', whole, `What is read of ${name} must be known beforehand`, `Name the members: ${name}.x`);
    }
    const paths = this.paths.get(name) ?? [];
    if (!paths.some((known) => isDeepStrictEqual(known, path))) paths.push(path);
    this.paths.set(name, paths);
  }

  private visitCall(node: Node, { name, receiver, values }: Call, bound: Bound, depth: number): void {
    const known = callableOf(node, name, receiver);
    if (!known.arities.includes(values.length)) {
      refuse(
        'wrong-arguments',
        node,
        `${name} does not take ${String(values.length)} arguments`,
        `It is ${known.shown}.`,
      );
    }
    if (name === 'matches') visitPattern(values[0]);
    if (tableFunctions.has(name)) this.tables.add(literalOf(values[0], 'The name of a table'));
    if (keyFunctions.has(name)) this.keyed = true;
    if (known.runs !== undefined) (node.args as unknown[])[0] = known.runs;
    if (receiver && isBind(name, receiver)) {
      const [own, value, within] = values as [Node, Node, Node];
      this.visit(value, bound, depth + 1);
      this.visit(within, new Set([...bound, own.args as string]), depth + 1);
      return;
    }
    if (receiver) this.visit(receiver, bound, depth + 1);
    const loops = receiver !== undefined && loopNames.has(name);
    const inner = loops ? new Set([...bound, values[0]?.args as string]) : bound;
    for (const value of loops ? values.slice(1) : values) this.visit(value, inner, depth + 1);
  }
}

const isBind = (name: string, receiver: Node): boolean =>
  name === 'bind' && receiver.op === 'id' && receiver.args === 'cel';

const remedyFor = (name: string, known: readonly string[], otherwise: string): string => {
  const near = nearest(name, known);
  return near === undefined ? otherwise : `Did you mean ${near}?`;
};

function callableOf(node: Node, name: string, receiver: Node | undefined): Callable {
  const [own, other] = receiver ? [methodsByName, functionsByName] : [functionsByName, methodsByName];
  const known = own.get(name);
  if (known) return known;
  const elsewhere = other.get(name);
  const remedy = elsewhere
    ? `It is written ${elsewhere.shown}.`
    : remedyFor(name, [...functionsByName.keys(), ...methodsByName.keys()], 'See docs/reference/expressions.md.');
  return refuse('unknown-function', node, `There is no ${receiver ? 'method' : 'function'} ${name}`, remedy);
}

const memberOf = (right: Node | string): string | undefined => {
  if (typeof right === 'string') return right;
  if (right.op !== 'value') return undefined;
  return typeof right.args === 'string' || typeof right.args === 'bigint' ? String(right.args) : undefined;
};

function visitLiteral(node: Node): void {
  if (typeof node.args === 'object' && node.args !== null) {
    refuse('unsupported', node, 'There are no bytes and no unsigned numbers', 'Write text, or the number without u.');
  }
}

function literalOf(node: Node | undefined, what: string): string {
  if (node?.op === 'value' && typeof node.args === 'string') return node.args;
  return refuse('not-a-literal', node, `${what} must be written out`, 'Write it in quotes.');
}

function visitPattern(node: Node | undefined): void {
  const source = literalOf(node, 'A pattern');
  try {
    patternOf(source);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    refuse('bad-pattern', node, why, 'Patterns are RE2: no look-around, no back-references.');
  }
}

function refuse(code: FaultCode, node: Node | undefined, message: string, remedy: string): never {
  throw new ExpressionFault(code, message, node?.start ?? 0, node?.end ?? 0, remedy);
}
