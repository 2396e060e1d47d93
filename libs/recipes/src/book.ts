import { every } from './every';
import { loadRecipes, readRecipe, RecipeFault } from './read';
import type { Recipe } from './recipe';
import type { Reference } from './reference';

/** Reads what is live in an environment from a store; undefined where nothing was published there since `since`. */
export type ReadPublished<Store> = (
  store: Store,
  environment: string,
  since?: string,
) => Promise<{ mark: string; recipes: { recipe: string; version: string; text: string }[] } | undefined>;

/** Where a book says what it took up and what it did not. */
export interface BookLines {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** How a book of published recipes is kept up. */
export interface PublishedOptions<Store> {
  read: ReadPublished<Store>;
  environment: string;
  lines: BookLines;
  /** What its recipes may refer to. */
  reference?: Reference;
  /** How often, in milliseconds, it looks for a publication. */
  everyMs?: number;
}

/**
 * The recipes that a service goes by: those of a folder, for good, or those that are live in an environment, taken up as
 * they are published. A set of which one recipe cannot be read is not taken up: the last good one stays.
 */
export class RecipeBook<Store> {
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;
  private mark: string | undefined;
  private reachable = true;

  private constructor(
    private recipes: readonly Recipe[],
    private readonly options?: PublishedOptions<Store>,
    /** What the recipes refer to; followed as long as they are. */
    readonly reference: Reference = options?.reference ?? {},
  ) {}

  /** The recipes of a folder, as they are now; throws a {@link RecipeFault} that names every fault. */
  static fromFolder<Store>(folder: string, environment?: string, reference?: Reference): RecipeBook<Store> {
    return new RecipeBook<Store>(loadRecipes(folder, environment, reference), undefined, reference);
  }

  /** The recipes that are live in an environment; empty until it was started. */
  static published<Store>(options: PublishedOptions<Store>): RecipeBook<Store> {
    return new RecipeBook([], options);
  }

  /** A book by an app's settings: of the folder where one is set, else of the environment. */
  static of<Store>(
    { RECIPES_DIR, RECIPES_ENVIRONMENT }: { RECIPES_DIR?: string; RECIPES_ENVIRONMENT: string },
    read: ReadPublished<Store>,
    lines: BookLines,
    reference?: Reference,
  ): RecipeBook<Store> {
    return RECIPES_DIR === undefined
      ? RecipeBook.published({ read, environment: RECIPES_ENVIRONMENT, lines, reference })
      : RecipeBook.fromFolder(RECIPES_DIR, RECIPES_ENVIRONMENT, reference);
  }

  /** The recipes now. The same array until others are taken up. */
  readonly current = (): readonly Recipe[] => this.recipes;

  /**
   * Resolves when the recipes and what they refer to are known; rejects where the store does not answer, or what is live or
   * a table cannot be read.
   */
  async start(store: Store): Promise<void> {
    await this.reference.tables?.start?.();
    if (!this.options || this.following) return;
    const faults = await this.look(store, this.options);
    if (faults) throw new RecipeFault(faults);
    const { lines, environment } = this.options;
    if (this.recipes.length === 0) lines.warn({ environment }, 'nothing is live there: no change sets anything off');
    this.following = this.follow(store, this.options);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.reference.tables?.stop?.();
  }

  private async follow(store: Store, options: PublishedOptions<Store>): Promise<void> {
    const { lines, environment, everyMs = 1_000 } = options;
    await every(everyMs, this.stopping.signal, async () => {
      try {
        const faults = await this.look(store, options);
        if (faults)
          lines.warn({ environment, faults }, 'what was published cannot be read: the last good recipes stay');
        this.reachable = true;
      } catch (err) {
        if (this.reachable) lines.warn({ err, environment }, 'the registry does not answer: the last recipes stay');
        this.reachable = false;
      }
    });
  }

  /** Looks once; resolves to the faults of what cannot be taken up, told once for each publication. */
  private async look(
    store: Store,
    { read, environment, lines, reference }: PublishedOptions<Store>,
  ): Promise<string[] | undefined> {
    const found = await read(store, environment, this.mark);
    if (!found) return undefined;
    const all = found.recipes.map((one) => readPublished(one, environment, reference));
    const faults = all.flatMap((one) => ('faults' in one ? one.faults : []));
    this.mark = found.mark;
    if (faults.length > 0) return faults;
    this.recipes = all.flatMap((one) => ('recipe' in one ? [one.recipe] : []));
    lines.info({ environment, recipes: this.recipes.map(({ id, version }) => `${id} ${version}`) }, 'recipes taken up');
    return undefined;
  }
}

/** Reads a published recipe: under the id and version that it was published as, whatever code reads it. */
function readPublished(
  published: { recipe: string; version: string; text: string },
  environment: string,
  reference?: Reference,
): ReturnType<typeof readRecipe> {
  const { recipe: id, version, text } = published;
  const name = `${id} ${version}`;
  const read = readRecipe(text, name, environment, reference);
  if ('faults' in read) return read;
  if (read.recipe.id !== id) return { faults: [`${name}: says that it is ${read.recipe.id}`] };
  return { recipe: { ...read.recipe, version } };
}
