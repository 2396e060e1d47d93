export * from './ask';
export * from './recipe';
export { recipeJsonSchema, type AskStep, type VideoStep } from './recipe.schema';
export * from './trigger';
export * from './video';
export * from './hubspot-trigger';
