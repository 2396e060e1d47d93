import { z } from 'zod';

/** How a step is called. */
export const stepName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lowercase words joined by underscores')
  .describe('How later steps and the logs call it; the kind of the step unless said');

/** A property of the CRM. */
export const property = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,98}$/, 'must be a CRM property name: lowercase letters, digits, _');

/** Text that holds no expression. */
export const fixed = z.string().min(1);
