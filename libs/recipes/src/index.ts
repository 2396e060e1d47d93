export * from './ask';
export * from './cases';
export * from './hubspot-trigger';
export { loadRecipes, type Recipe, readRecipe, readRecipes, RecipeFault } from './recipe';
export { recipeJsonSchema } from './recipe.schema';
export * from './trigger';
export * from './video';
export * from './write';
