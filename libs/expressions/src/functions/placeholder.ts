const placeholders = new Set(
  (
    'n/a na n.a. none null nil undefined unknown test tester testing tbd tba todo dummy sample example anonymous ' +
    'blank empty name firstname first_name lastname customer contact user admin asdf qwerty xxx xx x abc foo bar'
  ).split(' '),
);
for (const phrase of ['first name', 'last name', 'no name', 'not available', 'not provided']) placeholders.add(phrase);

/** Whether a value only stands where a value should be: blank, punctuation alone, "N/A", "test", "unknown", "-", … */
export function isPlaceholder(value: string | null | undefined): boolean {
  const text = (value ?? '').normalize('NFKC').trim().toLowerCase();
  return (
    !/[\p{L}\p{N}]/u.test(text) || placeholders.has(text) || placeholders.has(text.replace(/[^\p{L}\p{N}/._ ]/gu, ''))
  );
}

/** Whether a value can be a person's name: it has a letter and is no placeholder. */
export const isPersonName = (value: string | null | undefined): boolean =>
  !isPlaceholder(value) && /\p{L}/u.test(value ?? '');
