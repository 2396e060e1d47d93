import { compile, type Expression, ExpressionFault } from '#libs/expressions';
import { answerFault, answerFields, type AskStep } from './ask';
import type { Recipe } from './recipe';
import type { RecipeFile } from './recipe.schema';
import { compileText, joined, type Text, type Variables } from './text';
import type { VideoStep } from './video';
import type { WriteStep } from './write';

/** What is wrong with a recipe, and where: `offset` counts within the text at `path`. */
export interface CompileFault {
  path: PropertyKey[];
  message: string;
  offset?: number;
}

const scopes = {
  trigger: { event: 'any' },
  record: { record: 'named' },
  write: { record: 'named', steps: 'named', time: 'any' },
} as const satisfies Record<string, Variables>;

/** What a video step leaves for the steps behind it. */
const videoFields = ['url', 'video_id'];

type StepFile = RecipeFile['steps'][number];
type StepWith<Kind extends string> = Extract<StepFile, Record<Kind, unknown>>;

/** Makes a recipe ready to run; its version is its reader's to name. */
export function compileRecipe(file: RecipeFile): { recipe: Omit<Recipe, 'version'> } | { faults: CompileFault[] } {
  const compiler = new Compiler();
  const recipe = compiler.recipe(file);
  return compiler.faults.length > 0 ? { faults: compiler.faults } : { recipe };
}

class Compiler {
  readonly faults: CompileFault[] = [];
  /** What the steps so far leave, by their names. */
  private readonly left = new Map<string, readonly string[]>();

  recipe({ recipe, tenants, trigger, coolDown, steps }: RecipeFile): Omit<Recipe, 'version'> {
    const { when, ...rest } = trigger;
    const whenever = when === undefined ? {} : { when: this.condition(['trigger', 'when'], when, scopes.trigger) };
    const made: Omit<Recipe, 'version'> = {
      id: recipe,
      ...(tenants ? { tenants } : {}),
      trigger: { ...rest, ...whenever },
      coolDownMs: coolDown,
      writes: [],
    };
    let before: string | undefined;
    for (const [i, step] of steps.entries()) {
      const path = ['steps', i];
      const name = step.name ?? kindOf(step);
      if (this.left.has(name)) this.faults.push({ path, message: `there is a step ${name} already: name this one` });
      if ('video' in step) made.video = this.video([...path, 'video'], name, step);
      else if ('ask' in step) made.ask = this.ask([...path, 'ask'], name, step);
      else made.writes.push(this.write([...path, 'write'], name, step, before));
      this.left.set(name, 'video' in step ? videoFields : 'ask' in step ? answerFields(step.ask.answer) : []);
      if (!('write' in step)) before = name;
    }
    return made;
  }

  private video(path: PropertyKey[], name: string, { when, video }: StepWith<'video'>): VideoStep {
    const { template, require } = video;
    const title = this.text([...path, 'title'], video.title, scopes.record);
    const variables = this.texts([...path, 'variables'], video.variables, scopes.record);
    const condition = this.when(path, when, scopes.record);
    const reads = [title, ...Object.values(variables), ...(condition.when ? [condition.when] : [])];
    const properties = [...new Set([...Object.keys(require), ...recordReads(reads)])];
    return { name, ...condition, template, title, require, variables, properties };
  }

  private ask(path: PropertyKey[], name: string, { when, ask }: StepWith<'ask'>): AskStep {
    const condition = this.when(path, when, scopes.record);
    const unusable = answerFault(ask.answer);
    if (unusable !== undefined) this.faults.push({ path: [...path, 'answer'], message: unusable });
    const reads = [...new Set([...ask.properties, ...recordReads(condition.when ? [condition.when] : [])])];
    return { name, ...condition, ...ask, reads };
  }

  private write(
    path: PropertyKey[],
    name: string,
    { when, write }: StepWith<'write'>,
    before: string | undefined,
  ): WriteStep {
    const properties = this.texts([...path, 'properties'], write.properties, scopes.write);
    const condition = this.when(path, when, scopes.write);
    const { task } = write;
    const text = (key: 'title' | 'body' | 'owner') =>
      task?.[key] === undefined ? {} : { [key]: this.text([...path, 'task', key], task[key], scopes.write) };
    const texts = { ...text('title'), ...text('body'), ...text('owner') } as Pick<
      NonNullable<WriteStep['task']>,
      'title'
    >;
    const all = [...Object.values(properties), ...Object.values(texts), ...(condition.when ? [condition.when] : [])];
    const after = this.after(path, all, before);
    // One change may come as webhook and as workflow call: only a video and a question know the cool-down.
    if (task && after === undefined) {
      const message =
        'a task right behind the trigger could be made twice for one change: put a video or an ask before it';
      this.faults.push({ path: [...path, 'task'], message });
    }
    return {
      name,
      ...condition,
      properties,
      ...(task ? { task: { priority: task.priority, dueMs: task.due, ...texts } } : {}),
      reads: recordReads(all),
      ...(after === undefined ? {} : { after }),
    };
  }

  /** The step that a write follows: the one that it reads, or else the one before it. */
  private after(path: PropertyKey[], all: readonly Pick<Text, 'reads'>[], before: string | undefined) {
    const steps = new Set<string>();
    for (const [step = '', field] of all.flatMap(({ reads }) => reads['steps'] ?? [])) {
      const fields = this.left.get(step);
      if (!fields) {
        this.faults.push({ path, message: `reads steps.${step}, and no step before it is named so` });
      } else if (field === undefined || !fields.includes(field)) {
        const there = fields.length > 0 ? `it has ${fields.join(', ')}` : 'it leaves nothing to read';
        this.faults.push({ path, message: `reads steps.${step}.${field ?? ''}, which is not there: ${there}` });
      } else steps.add(step);
    }
    if (steps.size > 1) {
      const both = [...steps].join(' and ');
      this.faults.push({ path, message: `reads the steps ${both}, which end at their own times: write for each` });
    }
    return [...steps][0] ?? before;
  }

  private when(path: PropertyKey[], when: string | undefined, variables: Variables): { when?: Expression } {
    return when === undefined ? {} : { when: this.condition([...path.slice(0, -1), 'when'], when, variables) };
  }

  private condition(path: PropertyKey[], source: string, variables: Variables): Expression {
    return this.sound(path, () => compile(source, { variables })) ?? never;
  }

  private text(path: PropertyKey[], value: string | number | boolean, variables: Variables): Text {
    return this.sound(path, () => compileText(value, variables)) ?? never;
  }

  private sound<T extends { tables: readonly string[] }>(path: PropertyKey[], work: () => T): T | undefined {
    const made = this.safely(path, work);
    for (const table of made?.tables ?? [])
      this.faults.push({ path, message: `there is no reference table ${table}: none can be declared yet` });
    return made;
  }

  private texts(path: PropertyKey[], values: Record<string, string | number | boolean>, variables: Variables) {
    const entries = Object.entries(values).map(
      ([name, value]) => [name, this.text([...path, name], value, variables)] as const,
    );
    return Object.fromEntries(entries);
  }

  private safely<T>(path: PropertyKey[], work: () => T): T | undefined {
    try {
      return work();
    } catch (fault) {
      if (!(fault instanceof ExpressionFault)) throw fault;
      this.faults.push({ path, message: `${fault.message}. ${fault.remedy}`, offset: fault.offset });
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

const kindOf = (step: StepFile): string => ('video' in step ? 'video' : 'ask' in step ? 'ask' : 'write');

const recordReads = (all: readonly Pick<Text, 'reads'>[]): string[] => [
  ...new Set((joined(all.map(({ reads }) => reads))['record'] ?? []).flatMap(([property]) => property ?? [])),
];
