import { compile, type Expression, ExpressionError, ExpressionFault } from '#libs/expressions';
import { assignFields, type AssignStep } from './assign';
import { answerFault, answerFields, type AskStep } from './ask';
import type { Recipe, RecipeTrigger, Step } from './recipe';
import type { StepBase } from './step';
import { changesOf, type RecipeFile, type StepFile } from './recipe.schema';
import { givenOf, missingFor, type Reference } from './reference';
import { compileText, joined, plain, type Text, type Variables } from './text';
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
const ofWrite = { ...ofStep, time: 'any' } as const satisfies Variables;

const ELSEWHERE = 'take what it needs, and look in a step, whose lookups are recorded';

/** What a video step leaves for the steps behind it. */
const videoFields = ['url', 'video_id'];

type StepWith<Kind extends string> = Extract<StepFile, Record<Kind, unknown>>;

/** Makes a recipe ready to run in an environment, with what it may refer to; its version is its reader's to name. */
export function compileRecipe(
  file: RecipeFile,
  environment: string,
  reference: Reference,
): { recipe: Omit<Recipe, 'version'> } | { faults: CompileFault[] } {
  const compiler = new Compiler(environment, reference);
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

  constructor(
    private readonly environment: string,
    private readonly reference: Reference,
  ) {}

  recipe({ recipe, tenants, trigger, coolDown, steps, values }: RecipeFile): Omit<Recipe, 'version'> {
    this.values = this.valuesHere(values);
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
      ...(when === undefined ? {} : { when: this.ofEvent([...path, 'when'], when) }),
      take: Object.fromEntries(
        Object.entries(take).map(([name, one]) => [name, this.ofEvent([...path, 'take', name], one)]),
      ),
    };
  }

  private step(path: PropertyKey[], name: string, file: StepFile, before: string | undefined): Step {
    if ('video' in file) return this.video([...path, 'video'], name, file);
    if ('ask' in file) return this.ask([...path, 'ask'], name, file);
    if ('assign' in file) return this.assign([...path, 'assign'], name, file);
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

  private write(
    path: PropertyKey[],
    name: string,
    { when, write }: StepWith<'write'>,
    before: string | undefined,
  ): WriteStep {
    const properties = this.texts([...path, 'properties'], write.properties, ofWrite);
    const { task } = write;
    const text = (key: 'title' | 'body' | 'owner') =>
      task?.[key] === undefined ? {} : { [key]: this.text([...path, 'task', key], task[key], ofWrite) };
    const texts = { ...text('title'), ...text('body'), ...text('owner') } as Pick<
      NonNullable<WriteStep['task']>,
      'title'
    >;
    const { all, ...base } = this.base(path, name, when, [...Object.values(properties), ...Object.values(texts)], {
      variables: ofWrite,
      before,
    });
    // One change may come as webhook and as workflow call: only a video and a question know the cool-down.
    if (task && base.after === undefined) {
      const message =
        'a task right behind the trigger could be made twice for one change: put a video or an ask before it';
      this.faults.push({ path: [...path, 'task'], message });
    }
    return {
      kind: 'write',
      ...base,
      properties,
      ...(task ? { task: { priority: task.priority, dueMs: task.due, ...texts } } : {}),
      reads: recordReads(all),
    };
  }

  private assign(path: PropertyKey[], name: string, { when, assign }: StepWith<'assign'>): AssignStep {
    const rota = this.text([...path, 'rota'], assign.rota);
    const among = Array.isArray(assign.among)
      ? assign.among.map((owner, i) => this.text([...path, 'among', i], owner))
      : [this.text([...path, 'among'], assign.among)];
    const { all, ...base } = this.base(path, name, when, [rota, ...among]);
    return { kind: 'assign', ...base, rota, among, reads: recordReads(all) };
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
      this.sound(path, () => this.ready(compile(source, { variables: { ...variables, values: 'named' } }))) ?? never
    );
  }

  private text(path: PropertyKey[], value: string | number | boolean, variables: Variables = ofStep): Text {
    return this.sound(path, () => this.ready(compileText(value, { ...variables, values: 'named' }))) ?? never;
  }

  /** An expression over the event: a trigger has no stream yet on which what it looks up could be recorded. */
  private ofEvent(path: PropertyKey[], source: string): Expression {
    const made = this.expression(path, source, ofEvent);
    if (made.tables.length > 0) this.faults.push({ path, message: `a trigger looks into no table: ${ELSEWHERE}` });
    return made;
  }

  /** A text that is known when the recipe is read. */
  private fixed(path: PropertyKey[], value: string): string {
    const text = this.sound(path, () => this.ready(compileText(value, { values: 'named' })));
    if (text && text.tables.length > 0)
      this.faults.push({ path, message: 'it must be known when the recipe is read, and so looks into no table' });
    return this.safely(path, () => plain(text?.tables.length === 0 ? text.evaluate({}) : null)) ?? '';
  }

  private ready<T extends Text>(text: T): T {
    return this.withValues(this.withReference(text));
  }

  /** Tables and the secret are there wherever it runs, under whatever else it is given there. */
  private withReference<T extends Text>(text: T): T {
    if (text.tables.length === 0 && !text.keyed) return text;
    const reference = givenOf(this.reference);
    return { ...text, evaluate: (bindings, given) => text.evaluate(bindings, { ...reference, ...given }) };
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

  private sound<T extends Text>(path: PropertyKey[], work: () => T): T | undefined {
    const made = this.safely(path, work);
    const missing = made && missingFor(made, this.reference);
    if (missing !== undefined) this.faults.push({ path, message: missing });
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
      else if (fault instanceof ExpressionError) this.faults.push({ path, message: fault.message });
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
  keyed: false,
  evaluate: () => {
    throw new Error('a recipe with faults is not run');
  },
};

const kindOf = (step: StepFile): Step['kind'] =>
  'video' in step ? 'video' : 'ask' in step ? 'ask' : 'assign' in step ? 'assign' : 'write';

/** What a step leaves for those behind it. */
const fieldsOf = (step: StepFile): readonly string[] =>
  'video' in step ? videoFields : 'ask' in step ? answerFields(step.ask.answer) : 'assign' in step ? assignFields : [];

const recordReads = (all: readonly Pick<Text, 'reads'>[]): string[] => [
  ...new Set((joined(all.map(({ reads }) => reads))['record'] ?? []).flatMap(([property]) => property ?? [])),
];
