import { amounts } from './amounts';
import { dates } from './dates';
import type { FunctionGroup } from './definition';
import { email } from './email';
import { keys } from './keys';
import { lists } from './lists';
import { names } from './names';
import { numbers } from './numbers';
import { phone } from './phone';
import { places } from './places';
import { tables } from './tables';
import { text } from './text';

/** Every function of the language beside CEL's own, by subject. */
export const functionGroups: readonly FunctionGroup[] = [
  text,
  names,
  email,
  phone,
  places,
  dates,
  amounts,
  numbers,
  lists,
  keys,
  tables,
];
