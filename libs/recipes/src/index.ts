export * from './ask';
export * from './cases';
export * from './hubspot-trigger';
export { loadRecipes, readRecipe, readRecipes, RecipeFault } from './read';
export type { Recipe } from './recipe';
export { recipeJsonSchema } from './recipe.schema';
export * from './trigger';
export * from './video';
export * from './write';
