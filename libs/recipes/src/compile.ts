import type { Expression } from '#libs/expressions';
import { assignFields, type AssignStep } from './assign';
import { answerFields, type AskStep } from './ask';
import { askFaults, instructionOf } from './ask-check';
import type { WholeRecipe, WholeStep } from './asks';
import { contextIn } from './context';
import { actionForms, propertiesNeeded, textsOf } from './compile-actions';
import { type CompileFault, never, TextCompiler } from './compile-text';
import { type FetchStep, leaves, segment } from './fetch';
import type { Recipe, RecipeTrigger, Step } from './recipe';
import { changesOf } from './recipe.schema';
import type { Reference } from './reference';
import { type OptionsForm, optionsOf, propertyFault, type ReplacementForm, textsIn } from './replacement';
import type { StepBase } from './step';
import { compileText, joined, ofStep, plain, shapeOf, type Text, type Variables } from './text';
import { TRIGGER } from './trigger';
import { textsOfVideo, type VideoStep } from './video';
import type { VariableFile } from './video.schema';
import { pipelined, type WriteStep } from './write';

const ofEvent = { event: 'any' } as const satisfies Variables;
const ofAnswer = { body: 'any', status: 'any' } as const satisfies Variables;
const ofWrite = { ...ofStep, time: 'any', stages: 'any' } as const satisfies Variables;

const NO_TABLE_IN_A_FETCH =
  'a fetch looks into no table: what it asks must be the same in a replay; look in the step behind it, whose lookups are recorded';
const ELSEWHERE = 'take what it needs, and look in a step, whose lookups are recorded';

/** What a video step leaves for the steps behind it. */
const videoFields = ['url', 'video_id'];

type StepWith<Kind extends string> = Extract<WholeStep, Record<Kind, unknown>>;

/** Makes a recipe ready to run in an environment, with what it may refer to; its version is its reader's to name. */
export function compileRecipe(
  file: WholeRecipe,
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

class Compiler extends TextCompiler {
  private readonly left = new Map<string, Left>();
  private object = '';

  recipe({ recipe, tenants, trigger, coolDown, budget, steps, values }: WholeRecipe): Omit<Recipe, 'version'> {
    const ask = steps.find((step): step is StepWith<'ask'> => 'ask' in step)?.ask;
    this.constants = { values: this.valuesHere(values), thresholds: ask?.thresholds ?? {} };
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
    return {
      id: recipe,
      ...(tenants ? { tenants } : {}),
      trigger: compiled,
      coolDownMs: coolDown,
      ...(budget ? { usdPerDay: budget.usdPerDay } : {}),
      steps: made,
    };
  }

  private trigger({ object, on, property, becomes, source, due, when, take }: WholeRecipe['trigger']): RecipeTrigger {
    const path = ['trigger'];
    const waits =
      due === undefined && source === undefined ? changesOf(on) : on === undefined ? undefined : changesOf(on);
    return {
      object,
      ...(waits ? { on: waits } : {}),
      ...(property === undefined ? {} : { properties: [property].flat() }),
      ...(becomes ? { becomes } : {}),
      ...(source === undefined ? {} : { source }),
      ...(due ? { due: { date: due.date, offsetMs: (due.after ?? 0) - (due.before ?? 0) } } : {}),
      ...(when === undefined ? {} : { when: this.ofEvent([...path, 'when'], when) }),
      take: Object.fromEntries(
        Object.entries(take).map(([name, one]) => [name, this.ofEvent([...path, 'take', name], one)]),
      ),
    };
  }

  private step(path: PropertyKey[], name: string, file: WholeStep, before: string | undefined): Step {
    if ('video' in file) return this.video([...path, 'video'], name, file);
    if ('ask' in file) return this.ask([...path, 'ask'], name, file);
    if ('fetch' in file) return this.fetch([...path, 'fetch'], name, file);
    if ('assign' in file) return this.assign([...path, 'assign'], name, file);
    return this.write([...path, 'write'], name, file, before);
  }

  private video(path: PropertyKey[], name: string, { when, video }: StepWith<'video'>): VideoStep {
    const { require } = video;
    const title = this.text([...path, 'title'], video.title);
    const [variables, replacements] = this.variables([...path, 'variables'], video.variables);
    const options = this.options(path, video);
    const filled = { title, variables, replacements, options };
    const { all, ...base } = this.base(path, name, when, textsOfVideo(filled));
    return {
      kind: 'video',
      ...base,
      template: this.fixed([...path, 'template'], video.template),
      ...filled,
      require,
      unclean: video.unclean ?? 'clean',
      properties: [...new Set([...Object.keys(require), ...recordReads(all)])],
    };
  }

  /** Texts, and what is none, each checked as far as it is known. */
  private variables(
    path: PropertyKey[],
    variables: StepWith<'video'>['video']['variables'],
  ): [Record<string, Text>, Record<string, ReplacementForm>] {
    const texts: Record<string, Text> = {};
    const replacements: Record<string, ReplacementForm> = {};
    for (const [name, one] of Object.entries(variables)) {
      if (typeof one === 'string') texts[name] = this.text([...path, name], one);
      else replacements[name] = this.replacement([...path, name], one);
    }
    return [texts, replacements];
  }

  private replacement(path: PropertyKey[], file: VariableFile): ReplacementForm {
    const [[type, given] = NO_TYPE] = Object.entries(file) as [ReplacementForm['type'], Record<string, string>][];
    const properties = this.texts([...path, type], given);
    for (const [property, { literal }] of Object.entries(properties)) {
      const fault = literal === undefined ? undefined : propertyFault(property, plain(literal).trim());
      if (fault) this.faults.push({ path: [...path, type, property], message: fault.reason });
    }
    return { type, properties };
  }

  private options(path: PropertyKey[], file: StepWith<'video'>['video']): OptionsForm {
    const { caption, subtitles, dimension, folder } = file;
    const form = this.form(path, { caption, subtitles, dimension, folder });
    const isKnown = textsIn(form).every(({ literal }) => literal !== undefined);
    const filled = isKnown ? optionsOf(form, ({ literal = null }) => literal) : undefined;
    if (filled && 'rejected' in filled) this.faults.push({ path, message: filled.rejected.reason });
    return form;
  }

  private form(path: PropertyKey[], given: Given): OptionsForm {
    const entries = Object.entries(given).flatMap(([name, one]) => {
      const at = [...path, name];
      if (one === undefined) return [];
      return [[name, typeof one === 'object' ? this.form(at, one) : this.text(at, one)] as const];
    });
    return Object.fromEntries(entries);
  }

  private ask(path: PropertyKey[], name: string, { when, ask }: StepWith<'ask'>): AskStep {
    const { properties, tokens, answer, use, effort, mask = {}, supported = [], unsupported = 'leave-out' } = ask;
    this.faults.push(...askFaults(ask).map((fault) => ({ ...fault, path: [...path, ...fault.path] })));
    const { notes, context } = contextIn(ask);
    const facts = this.texts([...path, 'facts'], ask.facts);
    const { all, ...base } = this.base(path, name, when, Object.values(facts));
    return {
      kind: 'ask',
      ...base,
      model: this.fixed([...path, 'model'], ask.model),
      properties,
      notes,
      context,
      tokens,
      facts,
      instruction: instructionOf(ask),
      answer,
      ...(use === undefined ? {} : { use }),
      ...(effort === undefined ? {} : { effort }),
      mask,
      supported,
      unsupported,
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
    const looking = [text, ...Object.values(query), ...take.map(([, one]) => one), ...(base.when ? [base.when] : [])];
    if (looking.some(({ tables }) => tables.length > 0)) this.faults.push({ path, message: NO_TABLE_IN_A_FETCH });
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
    const variables = { ...ofStep, values: 'named', thresholds: 'named' } as const;
    const made = this.sound(path, () => this.ready(compileText(value, variables, segment)));
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
    { when, until, write }: StepWith<'write'>,
    before: string | undefined,
  ): WriteStep {
    const properties = this.texts([...path, 'properties'], write.properties, ofWrite);
    const actions = actionForms(write, {
      object: this.object,
      text: (at, value) => this.text([...path, ...at], value, ofWrite),
      fault: (at, message) => this.faults.push({ path: [...path, ...at], message }),
    });
    const stage = write.stage === undefined ? undefined : this.stage([...path, 'stage'], write.stage);
    const texts = [...Object.values(properties), ...textsOf(actions), ...(stage ? [stage.text] : [])];
    const end = until === undefined ? undefined : this.expression([...path.slice(0, -1), 'until'], until, ofWrite);
    const looking = end ? [...texts, end] : texts;
    const { all, ...base } = this.base(path, name, when, looking, { variables: ofWrite, before });
    const readsStages = stage !== undefined || all.some(({ reads }) => reads['stages']);
    const pipeline = readsStages ? pipelined[this.object]?.pipeline : undefined;
    if (readsStages && pipeline === undefined)
      this.faults.push({ path, message: `${this.object} records have no stages` });
    const needed = [...propertiesNeeded(actions), ...(pipeline === undefined ? [] : [pipeline])];
    const needs = new Set([...recordReads(all), ...needed]);
    // What it will say is read along, where anything is: then it is known what that was before.
    const along = needs.size > 0 ? [...Object.keys(properties), ...(stage ? [stage.property] : [])] : [];
    const reads = [...new Set([...needs, ...along])];
    const whole = { kind: 'write', ...base, properties, actions, reads, readsStages } as const;
    return { ...whole, ...(stage ? { stage } : {}), ...(end ? { until: end } : {}) };
  }

  private stage(path: PropertyKey[], wanted: string): WriteStep['stage'] {
    return { text: this.text(path, wanted, ofWrite), property: pipelined[this.object]?.stage ?? '' };
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

  /** An expression over the event: a trigger has no stream yet on which what it looks up could be recorded. */
  private ofEvent(path: PropertyKey[], source: string): Expression {
    const made = this.expression(path, source, ofEvent);
    if (made.tables.length > 0) this.faults.push({ path, message: `a trigger looks into no table: ${ELSEWHERE}` });
    return made;
  }
}

/** Values of a file in the shape in which they stand there. */
interface Given {
  [name: string]: string | number | boolean | Given | undefined;
}

/** The file's schema lets no variable be without. */
const NO_TYPE: [ReplacementForm['type'], Record<string, string>] = ['image', {}];

/** As RFC 3986 has it: segments with something in them, the last one perhaps without. */
const PATH = /^(\/([A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+)*\/?$/;

const kindOf = (step: WholeStep): Step['kind'] =>
  'video' in step ? 'video' : 'ask' in step ? 'ask' : 'fetch' in step ? 'fetch' : 'assign' in step ? 'assign' : 'write';

/** What a step leaves for those behind it. */
function fieldsOf(step: WholeStep): readonly string[] {
  if ('video' in step) return videoFields;
  if ('ask' in step) return answerFields(step.ask.answer);
  if ('fetch' in step) return Object.keys(step.fetch.take);
  return 'assign' in step ? assignFields : [];
}

const recordReads = (all: readonly Pick<Text, 'reads'>[]): string[] => [
  ...new Set((joined(all.map(({ reads }) => reads))['record'] ?? []).flatMap(([property]) => property ?? [])),
];
