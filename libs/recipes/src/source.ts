import { type Document, isNode, isScalar, LineCounter } from 'yaml';
import { readYaml } from './yaml';

/** How many faults of one text are told: of what is no YAML at all, the first ones say it. */
const MOST_FAULTS = 50;

/** A recipe's text, which tells of everything in it where it stands. */
export class RecipeSource {
  readonly value: unknown;
  /** Why the text is no YAML, or more than is read. */
  readonly faults: string[];
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed | undefined;

  constructor(
    private readonly text: string,
    private readonly file: string,
    /** Lines of the file before it. */
    private readonly linesBefore = 0,
  ) {
    this.lines.addNewLine(0);
    for (const { index } of text.matchAll(/\n/g)) this.lines.addNewLine(index + 1);
    const { faults, document, value } = readYaml(text);
    this.document = document;
    this.faults = faults.slice(0, MOST_FAULTS).map(({ offset, message }) => `${this.at(offset)}: ${message}`);
    this.value = value;
    if (this.faults.length === 0 && (value === null || value === undefined))
      this.faults = [`${this.at(0)}: nothing stands there`];
  }

  /** Names what is wrong with the value at a path; `offset` counts within a text. */
  fault(path: readonly PropertyKey[], message: string, offset = 0): string {
    return [this.placeOf(path, offset), ...(path.length > 0 ? [path.map(String).join('.')] : []), message].join(': ');
  }

  /** File, line and column of the value at a path. */
  placeOf(path: readonly PropertyKey[], offset = 0): string {
    return this.at(this.offsetOf(path, offset));
  }

  private at(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.file}:${String(line + this.linesBefore)}:${String(col)}`;
  }

  // The nearest node that exists: a missing key is shown at its parent.
  private offsetOf(path: readonly PropertyKey[], offset: number): number {
    for (let length = path.length; length >= 0; length -= 1) {
      const node: unknown = this.document?.getIn(path.slice(0, length), true);
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
