import { compile, type Expression, ExpressionError, ExpressionFault } from '#libs/expressions';
import { answerFault, answerFields, type AskStep } from './ask';
import { actionForms, propertiesNeeded, textsOf } from './compile-actions';
import { type FetchStep, leaves, segment, UnfitPart } from './fetch';
import type { Recipe, RecipeTrigger, Step } from './recipe';
import { changesOf, type RecipeFile, type StepFile } from './recipe.schema';
import type { StepBase } from './step';
import { compileText, joined, plain, shapeOf, type Text, type Variables } from './text';
import { TRIGGER } from './trigger';
import type { VideoStep } from './video';
import type { WriteStep } from './write';

/** What is wrong with a recipe, and where: `offset` counts within the text at `path`. */
export interface CompileFault {
  path: PropertyKey[];
  message: string;
  offset?: number;
}

const ofEvent = { event: 'any' } as const satisfies Variables;
const ofStep = { record: 'named', steps: 'named' } as const satisfies Variables;
const ofAnswer = { body: 'any', status: 'any' } as const satisfies Variables;
const ofWrite = { ...ofStep, time: 'any' } as const satisfies Variables;

/** What a video step leaves for the steps behind it. */
const videoFields = ['url', 'video_id'];

type StepWith<Kind extends string> = Extract<StepFile, Record<Kind, unknown>>;

/** Makes a recipe ready to run in an environment; its version is its reader's to name. */
export function compileRecipe(
  file: RecipeFile,
  environment: string,
): { recipe: Omit<Recipe, 'version'> } | { faults: CompileFault[] } {
  const compiler = new Compiler(environment);
  const recipe = compiler.recipe(file);
  return compiler.faults.length > 0 ? { faults: compiler.faults } : { recipe };
}

/** A step that later ones may read. */
interface Left {
  fields: readonly string[];
  /** The steps that have ended when it has, itself among them. */
  chain: ReadonlySet<string>;
}

class Compiler {
  readonly faults: CompileFault[] = [];
  private readonly left = new Map<string, Left>();
  private values: Record<string, string | number | boolean> = {};
  private object = '';

  constructor(private readonly environment: string) {}

  recipe({ recipe, tenants, trigger, coolDown, steps, values }: RecipeFile): Omit<Recipe, 'version'> {
    this.values = this.valuesHere(values);
    this.object = trigger.object;
    const compiled = this.trigger(trigger);
    this.left.set(TRIGGER, { fields: Object.keys(trigger.take), chain: new Set() });
    const made: Step[] = [];
    let before: string | undefined;
    for (const [i, file] of steps.entries()) {
      const path = ['steps', i];
      const name = file.name ?? kindOf(file);
      if (this.left.has(name)) this.faults.push({ path, message: `there is a step ${name} already: name this one` });
      const step = this.step(path, name, file, before);
      const chain = new Set([...(step.after === undefined ? [] : (this.left.get(step.after)?.chain ?? [])), name]);
      this.left.set(name, { fields: fieldsOf(file), chain });
      if (step.kind !== 'write') before = name;
      made.push(step);
    }
    return { id: recipe, ...(tenants ? { tenants } : {}), trigger: compiled, coolDownMs: coolDown, steps: made };
  }

  private trigger({ object, on, property, becomes, source, due, when, take }: RecipeFile['trigger']): RecipeTrigger {
    const path = ['trigger'];
    const waits =
      due === undefined && source === undefined ? changesOf(on) : on === undefined ? undefined : changesOf(on);
    return {
      object,
      ...(waits ? { on: waits } : {}),
      ...(property === undefined ? {} : { property }),
      ...(becomes ? { becomes } : {}),
      ...(source === undefined ? {} : { source }),
      ...(due ? { due: { date: due.date, offsetMs: (due.after ?? 0) - (due.before ?? 0) } } : {}),
      ...(when === undefined ? {} : { when: this.expression([...path, 'when'], when, ofEvent) }),
      take: Object.fromEntries(
        Object.entries(take).map(([name, one]) => [name, this.expression([...path, 'take', name], one, ofEvent)]),
      ),
    };
  }

  private step(path: PropertyKey[], name: string, file: StepFile, before: string | undefined): Step {
    if ('video' in file) return this.video([...path, 'video'], name, file);
    if ('ask' in file) return this.ask([...path, 'ask'], name, file);
    if ('fetch' in file) return this.fetch([...path, 'fetch'], name, file);
    return this.write([...path, 'write'], name, file, before);
  }

  private video(path: PropertyKey[], name: string, { when, video }: StepWith<'video'>): VideoStep {
    const { require } = video;
    const title = this.text([...path, 'title'], video.title);
    const variables = this.texts([...path, 'variables'], video.variables);
    const { all, ...base } = this.base(path, name, when, [title, ...Object.values(variables)]);
    return {
      kind: 'video',
      ...base,
      template: this.fixed([...path, 'template'], video.template),
      title,
      require,
      variables,
      properties: [...new Set([...Object.keys(require), ...recordReads(all)])],
    };
  }

  private ask(path: PropertyKey[], name: string, { when, ask }: StepWith<'ask'>): AskStep {
    const { properties, notes, instruction, answer } = ask;
    const unusable = answerFault(answer);
    if (unusable !== undefined) this.faults.push({ path: [...path, 'answer'], message: unusable });
    const facts = this.texts([...path, 'facts'], ask.facts);
    const { all, ...base } = this.base(path, name, when, Object.values(facts));
    return {
      kind: 'ask',
      ...base,
      model: this.fixed([...path, 'model'], ask.model),
      properties,
      notes,
      facts,
      instruction,
      answer,
      reads: [...new Set([...properties, ...recordReads(all)])],
    };
  }

  private fetch(path: PropertyKey[], name: string, { when, fetch }: StepWith<'fetch'>): FetchStep {
    const { from, keep, otherwise } = fetch;
    const text = this.path([...path, 'path'], fetch.path);
    const query = this.texts([...path, 'query'], fetch.query);
    const take = Object.entries(fetch.take).map(
      ([field, one]) => [field, this.expression([...path, 'take', field], one, ofAnswer)] as const,
    );
    const { all, ...base } = this.base(path, name, when, [text, ...Object.values(query)]);
    return {
      kind: 'fetch',
      ...base,
      system: from,
      path: text,
      at: fetch.path,
      query,
      ...(keep === undefined ? {} : { keepMs: keep }),
      take: Object.fromEntries(take),
      ...(otherwise ? { otherwise } : {}),
      reads: recordReads(all),
    };
  }

  /** A path whose expressions each fill one part of it; what stands there by itself must be a path already. */
  private path(path: PropertyKey[], value: string): Text {
    const variables = { ...ofStep, values: 'named' } as const;
    const made = this.sound(path, () => this.withValues(compileText(value, variables, segment)));
    const shape = made && this.safely(path, () => shapeOf(value, variables));
    if (shape !== undefined && (!PATH.test(shape) || leaves(shape))) {
      const message = 'must be a path: no //, no \\, no . or .. for a part, no ? or #; encode what is not plain ASCII';
      this.faults.push({ path, message });
    }
    return made ?? never;
  }

  private write(
    path: PropertyKey[],
    name: string,
    { when, write }: StepWith<'write'>,
    before: string | undefined,
  ): WriteStep {
    const properties = this.texts([...path, 'properties'], write.properties, ofWrite);
    const actions = actionForms(write, {
      object: this.object,
      text: (at, value) => this.text([...path, ...at], value, ofWrite),
      fault: (at, message) => this.faults.push({ path: [...path, ...at], message }),
    });
    const texts = [...Object.values(properties), ...textsOf(actions)];
    const { all, ...base } = this.base(path, name, when, texts, { variables: ofWrite, before });
    const reads = [...new Set([...recordReads(all), ...propertiesNeeded(actions)])];
    return { kind: 'write', ...base, properties, actions, reads };
  }

  /** What all kinds of step have in common, and all that is read by the step, its condition included. */
  private base(
    path: PropertyKey[],
    name: string,
    when: string | undefined,
    texts: readonly Pick<Text, 'reads'>[],
    { variables = ofStep, before }: { variables?: Variables; before?: string | undefined } = {},
  ): StepBase & { all: readonly Pick<Text, 'reads'>[] } {
    const condition = when === undefined ? undefined : this.expression([...path.slice(0, -1), 'when'], when, variables);
    const all = condition ? [...texts, condition] : texts;
    const after = this.after(path, all, before);
    return { name, ...(condition ? { when: condition } : {}), ...(after === undefined ? {} : { after }), all };
  }

  /** The step that another follows: the last one of those that it reads, or else `before`. */
  private after(path: PropertyKey[], all: readonly Pick<Text, 'reads'>[], before: string | undefined) {
    const read = new Set<string>();
    for (const [step = '', field] of all.flatMap(({ reads }) => reads['steps'] ?? [])) {
      const left = this.left.get(step);
      if (!left) {
        this.faults.push({ path, message: `reads steps.${step}, and no step before it is named so` });
      } else if (field === undefined || !left.fields.includes(field)) {
        const there = left.fields.length > 0 ? `it has ${left.fields.join(', ')}` : 'it leaves nothing to read';
        this.faults.push({ path, message: `reads steps.${step}.${field ?? ''}, which is not there: ${there}` });
      } else read.add(step);
    }
    const steps = [...read].filter((step) => step !== TRIGGER);
    const last = steps.find((step) => steps.every((other) => this.left.get(step)?.chain.has(other)));
    if (steps.length > 0 && last === undefined) {
      const both = steps.join(' and ');
      const message = `reads the steps ${both}, which end at their own times: let one of them read the other, or write for each`;
      this.faults.push({ path, message });
    }
    return last ?? (read.has(TRIGGER) ? undefined : before);
  }

  /** What the recipe's own values are in this environment. */
  private valuesHere(values: RecipeFile['values']): Compiler['values'] {
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

  private expression(path: PropertyKey[], source: string, variables: Variables): Expression {
    return (
      this.sound(path, () => this.withValues(compile(source, { variables: { ...variables, values: 'named' } }))) ??
      never
    );
  }

  private text(path: PropertyKey[], value: string | number | boolean, variables: Variables = ofStep): Text {
    return this.sound(path, () => this.withValues(compileText(value, { ...variables, values: 'named' }))) ?? never;
  }

  /** A text that is known when the recipe is read. */
  private fixed(path: PropertyKey[], value: string): string {
    const text = this.sound(path, () => this.withValues(compileText(value, { values: 'named' })));
    return this.safely(path, () => plain(text?.evaluate({}) ?? null)) ?? '';
  }

  /** Values of the environment are as good as written there. */
  private withValues<T extends Text>(text: T): T {
    const names = (text.reads['values'] ?? []).map(([name]) => name ?? '');
    if (names.length === 0) return text;
    const unknown = names.find((name) => !Object.hasOwn(this.values, name));
    if (unknown !== undefined) {
      const known = Object.keys(this.values).join(', ') || 'none';
      throw new ExpressionFault(
        'unknown-variable',
        `There is no value ${unknown}`,
        0,
        0,
        `Name it under values (there: ${known}).`,
      );
    }
    const { values } = this;
    const evaluate: Text['evaluate'] = (bindings, given) => text.evaluate({ ...bindings, values }, given);
    const alone = Object.keys(text.reads).every((variable) => variable === 'values') && text.tables.length === 0;
    return { ...text, ...(alone ? { literal: evaluate({}) } : {}), evaluate };
  }

  private sound<T extends { tables: readonly string[] }>(path: PropertyKey[], work: () => T): T | undefined {
    const made = this.safely(path, work);
    for (const table of made?.tables ?? [])
      this.faults.push({ path, message: `there is no reference table ${table}: none can be declared yet` });
    return made;
  }

  private texts(
    path: PropertyKey[],
    values: Record<string, string | number | boolean>,
    variables?: Variables,
  ): Record<string, Text> {
    const entries = Object.entries(values).map(
      ([name, value]) => [name, this.text([...path, name], value, variables)] as const,
    );
    return Object.fromEntries(entries);
  }

  private safely<T>(path: PropertyKey[], work: () => T): T | undefined {
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

/** Stands where a fault was noted: such a recipe is never run. */
const never: Expression = {
  source: '',
  reads: {},
  tables: [],
  evaluate: () => {
    throw new Error('a recipe with faults is not run');
  },
};

/** As RFC 3986 has it: segments with something in them, the last one perhaps without. */
const PATH = /^(\/([A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+)*\/?$/;

const kindOf = (step: StepFile): Step['kind'] =>
  'video' in step ? 'video' : 'ask' in step ? 'ask' : 'fetch' in step ? 'fetch' : 'write';

/** What a step leaves for those behind it. */
const fieldsOf = (step: StepFile): readonly string[] =>
  'video' in step
    ? videoFields
    : 'ask' in step
      ? answerFields(step.ask.answer)
      : 'fetch' in step
        ? Object.keys(step.fetch.take)
        : [];

const recordReads = (all: readonly Pick<Text, 'reads'>[]): string[] => [
  ...new Set((joined(all.map(({ reads }) => reads))['record'] ?? []).flatMap(([property]) => property ?? [])),
];
