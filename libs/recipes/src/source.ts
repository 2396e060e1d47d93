import { isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';

/** A recipe's text, which tells of everything in it where it stands. */
export class RecipeSource {
  readonly value: unknown;
  /** Why the text is no YAML. */
  readonly faults: string[];
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {
    this.document = parseDocument(text, { lineCounter: this.lines });
    this.faults = this.document.errors.map((e) => `${this.at(e.pos[0])}: ${e.message.split('\n')[0] ?? ''}`);
    this.value = this.faults.length > 0 ? undefined : this.document.toJS();
  }

  /** Names what is wrong with the value at a path; `offset` counts within a text. */
  fault(path: readonly PropertyKey[], message: string, offset = 0): string {
    return `${this.placeOf(path, offset)}: ${path.map(String).join('.')}: ${message}`;
  }

  /** File, line and column of the value at a path. */
  placeOf(path: readonly PropertyKey[], offset = 0): string {
    return this.at(this.offsetOf(path, offset));
  }

  private at(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.file}:${String(line)}:${String(col)}`;
  }

  // The nearest node that exists: a missing key is shown at its parent.
  private offsetOf(path: readonly PropertyKey[], offset: number): number {
    for (let length = path.length; length >= 0; length -= 1) {
      const node: unknown = this.document.getIn(path.slice(0, length), true);
      if (!isNode(node) || !node.range) continue;
      const [start, end] = node.range;
      if (length < path.length || !isScalar(node) || typeof node.value !== 'string') return start;
      // Folded or escaped text does not stand there as it is read: then its beginning must do.
      const begin = this.text.slice(start, end).indexOf(node.value);
      return begin < 0 ? start : start + begin + offset;
    }
    return 0;
  }
}
