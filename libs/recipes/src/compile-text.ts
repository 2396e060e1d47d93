import { compile, type Expression, ExpressionError, ExpressionFault } from '#libs/expressions';
import { UnfitPart } from './fetch';
import type { RecipeFile } from './recipe.schema';
import { givenOf, missingFor, type Reference } from './reference';
import { compileText, ofStep, plain, type Text, type Variables } from './text';

/** What is wrong with a recipe, and where: `offset` counts within the text at `path`. */
export interface CompileFault {
  path: PropertyKey[];
  message: string;
  offset?: number;
}

/** Makes the texts and expressions of a recipe ready, and notes what is wrong with them. */
export class TextCompiler {
  readonly faults: CompileFault[] = [];
  /** What is known when the recipe is read, by variable. */
  protected constants: Record<'values' | 'thresholds', Record<string, string | number | boolean>> = {
    values: {},
    thresholds: {},
  };

  constructor(
    private readonly environment: string,
    private readonly reference: Reference,
  ) {}

  /** What the recipe's own values are in this environment. */
  protected valuesHere(values: RecipeFile['values']): TextCompiler['constants']['values'] {
    return Object.fromEntries(
      Object.entries(values).flatMap(([name, by]) => {
        const value = by[this.environment] ?? by['default'];
        if (value !== undefined) return [[name, value]];
        const message = `says nothing for the environment ${this.environment}: name it, or default`;
        this.faults.push({ path: ['values', name], message });
        return [];
      }),
    );
  }

  protected expression(path: PropertyKey[], source: string, variables: Variables): Expression {
    return this.sound(path, () => this.ready(compile(source, { variables: { ...variables, ...CONSTANTS } }))) ?? never;
  }

  protected text(path: PropertyKey[], value: string | number | boolean, variables: Variables = ofStep): Text {
    return this.sound(path, () => this.ready(compileText(value, { ...variables, ...CONSTANTS }))) ?? never;
  }

  /** A text that is known when the recipe is read. */
  protected fixed(path: PropertyKey[], value: string): string {
    const text = this.sound(path, () => this.ready(compileText(value, { values: 'named' })));
    if (text && text.tables.length > 0)
      this.faults.push({ path, message: 'it must be known when the recipe is read, and so looks into no table' });
    return this.safely(path, () => plain(text?.tables.length === 0 ? text.evaluate({}) : null)) ?? '';
  }

  protected ready<T extends Text>(text: T): T {
    return this.withConstants(this.withReference(text));
  }

  /** Tables and the secret are there wherever it runs, under whatever else it is given there. */
  private withReference<T extends Text>(text: T): T {
    if (text.tables.length === 0 && !text.keyed) return text;
    const reference = givenOf(this.reference);
    return { ...text, evaluate: (bindings, given) => text.evaluate(bindings, { ...reference, ...given }) };
  }

  /** Values of the environment, and an ask's thresholds, are as good as written there. */
  private withConstants<T extends Text>(text: T): T {
    const { constants } = this;
    const read = (['values', 'thresholds'] as const).filter((variable) => text.reads[variable]);
    if (read.length === 0) return text;
    for (const variable of read) {
      const known = constants[variable];
      const names = (text.reads[variable] ?? []).map(([name]) => name ?? '');
      const unknown = names.find((name) => !Object.hasOwn(known, name));
      if (unknown !== undefined) throw unknownConstant(variable, unknown, Object.keys(known).join(', ') || 'none');
    }
    const evaluate: Text['evaluate'] = (bindings, given) => text.evaluate({ ...bindings, ...constants }, given);
    const alone = Object.keys(text.reads).every((variable) => variable in constants) && text.tables.length === 0;
    return { ...text, ...(alone ? { literal: evaluate({}) } : {}), evaluate };
  }

  protected sound<T extends Text>(path: PropertyKey[], work: () => T): T | undefined {
    const made = this.safely(path, work);
    const missing = made && missingFor(made, this.reference);
    if (missing !== undefined) this.faults.push({ path, message: missing });
    return made;
  }

  protected texts(
    path: PropertyKey[],
    values: Record<string, string | number | boolean>,
    variables?: Variables,
  ): Record<string, Text> {
    const entries = Object.entries(values).map(
      ([name, value]) => [name, this.text([...path, name], value, variables)] as const,
    );
    return Object.fromEntries(entries);
  }

  protected safely<T>(path: PropertyKey[], work: () => T): T | undefined {
    try {
      return work();
    } catch (fault) {
      if (fault instanceof ExpressionFault)
        this.faults.push({ path, message: `${fault.message}. ${fault.remedy}`, offset: fault.offset });
      // What can be told now and fails will always fail.
      else if (fault instanceof ExpressionError || fault instanceof UnfitPart)
        this.faults.push({ path, message: fault.message });
      else throw fault;
      return undefined;
    }
  }
}

const CONSTANTS = { values: 'named', thresholds: 'named' } as const satisfies Variables;

function unknownConstant(variable: 'values' | 'thresholds', name: string, known: string): ExpressionFault {
  const [what, remedy] =
    variable === 'values'
      ? [`There is no value ${name}`, `Name it under values (there: ${known}).`]
      : [`There is no threshold ${name}`, `Take one of the recipe's ask (there: ${known}).`];
  return new ExpressionFault('unknown-variable', what, 0, 0, remedy);
}

/** Stands where a fault was noted: such a recipe is never run. */
export const never: Expression = {
  source: '',
  reads: {},
  tables: [],
  keyed: false,
  evaluate: () => {
    throw new Error('a recipe with faults is not run');
  },
};
