export { type ActionForm } from './action';
export * from './ask';
export { agreementOf, type Label, labelFrom } from './agreement';
export { LONGEST_INSTRUCTION } from './ask-check';
export { type AskRow, readRows, rowsJsonSchema } from './ask-rows';
export { type AskFile, askJsonSchema } from './ask.schema';
export { askFolder, askNamed, type Asks, asksBeside, readAsk, type ReadAsk, selfContained, stepOfAsk } from './asks';
export * from './assign';
export * from './book';
export * from './cases';
export {
  cut,
  type Entry,
  fitted,
  linesOf,
  MOST_BYTES,
  MOST_PARTS,
  MOST_TAGS,
  PART,
  type Part,
  type SummedUp,
} from './condense';
export * from './context';
export { coolsDown, handedOn, isSameChange, type Said } from './chain';
export { type Changer } from './changer';
export { type AwaitedDate, dueAt } from './date';
export { type Difference, differences, schemaChanges } from './difference';
export {
  askedNow,
  followed,
  following,
  GONE,
  goesOnAs,
  isGone,
  purposeNow,
  purposeOf,
  type RecordFate,
  subjectNow,
  WITHDRAW,
  withdrawAgainAt,
  type Whereabouts,
} from './fate';
export { type FetchStep, type PreparedFetch, prepareFetch, takeOf } from './fetch';
export { needsOf, type Needs, type ScopeNeed, type SubscriptionNeed, subscriptionsOf } from './needs';
export { recipeTexts, withTexts } from './overlay';
export { type Field, FieldTally } from './fields';
export {
  acted,
  depthOf,
  type Elsewhere,
  fingerprintOf,
  isSameValue,
  type Known,
  LOOP,
  noTriggers,
  numbered,
  refused,
  ruleOn,
  type Ruling,
  type Triggers,
  type Written,
  wrote,
} from './loop-guard';
export * from './publication';
export { CASES, loadRecipes, readRecipe, readRecipes, readTogether, RecipeFault } from './read';
export * from './recipe';
export { elsewhere, type Reference, type ReferenceTables, tablesNamed, tablesWith } from './reference';
export { recipeJsonSchema } from './recipe.schema';
export * from './step';
export * from './steps-due';
export { unsupportedIn, withoutUnsupported } from './supported';
export { type ReadRows, referenceOf, TableFolder } from './table-folder';
export { contentOf, asTold, isEcho, type Match, matching, type WriterApp } from './trigger';
export {
  type PropertyUse,
  recipesOf,
  type StageUse,
  type TemplateUse,
  templatesOf,
  usesOf,
  type Uses,
  type ValueKind,
} from './uses';
export * from './video';
export { type DueOf, type Watched, watchedBy } from './watched';
export * from './write';
export { every } from './every';
export { isWithin, tokensIn } from './tokens';
