/** A node of the library's syntax tree, as far as we read and change it; the library types only the rest. */
export interface Node {
  readonly op: string;
  args: unknown;
  readonly start: number;
  readonly end: number;
  readonly checkedType?: { kind: string; name: string; hasDynType: boolean };
  /** Set by the type check: what an operator, a call or a read runs once its operands are there. */
  handle?: (...values: never[]) => unknown;
  readonly meta: { alternate?: Node; macro?: Macro; evaluate?: Evaluate };
  setMeta(key: 'evaluate', evaluate: Evaluate): Node;
}

export type Evaluate = (evaluator: Evaluator, node: never, context: unknown) => unknown;

export interface Evaluator {
  run(node: Node, context: unknown): unknown;
}

/** What the library runs in place of `has` and `cel.bind`. */
export interface Macro {
  evaluate: (evaluator: Evaluator, macro: Macro, context: unknown) => unknown;
  macroHasProps?: Node[];
}

/** The methods that run an expression for each element. */
export const loopNames: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'exists', 'exists_one']);

/** A call by its parts: there is no receiver of a plain function. */
export interface Call {
  name: string;
  receiver?: Node;
  values: Node[];
}

/** The parts of a node that is a call. */
export function callOf(node: Node): Call | undefined {
  if (node.op === 'call') {
    const [name, values] = node.args as [string, Node[]];
    return { name, values };
  }
  if (node.op !== 'rcall') return undefined;
  const [name, receiver, values] = node.args as [string, Node, Node[]];
  return { name, receiver, values };
}

/** The nodes right below a node. */
export function childrenOf(node: Node): Node[] {
  const call = callOf(node);
  if (call) return [...(call.receiver ? [call.receiver] : []), ...call.values];
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
      return [(node.args as [Node, string])[0]];
    case 'map':
      return (node.args as [Node, Node][]).flat();
    case '!_':
    case '-_':
      return [node.args as Node];
    default:
      return node.args as Node[];
  }
}
