import { readRecipe } from '../read';
import type { Recipe } from '../recipe';

/** The recipe of a text that a test knows to be good. */
export function recipeOf(text: string): Recipe {
  const read = readRecipe(text, 'recipe.yaml');
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.recipe;
}

/** A recipe that judges a lead, with these text fields in the answer, and goes on by these steps. */
export const judging = (id: string, fields: readonly string[], steps: string): Recipe =>
  recipeOf(`recipe: ${id}
trigger: { object: contact, property: lifecyclestage, becomes: [lead] }
steps:
  - name: lead
    ask:
      model: m
      properties: [company]
      instruction: Judge.
      answer: { type: object, properties: { ${fields.map((field) => `${field}: { type: string }`).join(', ')} } }
${steps}
`);
