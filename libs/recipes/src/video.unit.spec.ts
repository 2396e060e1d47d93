import { stepsOf } from './recipe';
import { recipeOf } from './testing/recipe-of';
import { prepareVideo } from './video';

const stepWith = (more = '') => {
  const [step] = stepsOf(
    recipeOf(`recipe: r
trigger: { object: contact, property: p }
steps:
  - video:
      template: t
      title: For \${record.firstname}
      variables: { first_name: "\${record.firstname}", about: "\${record.about}" }
${more}`),
    'video',
  );
  if (!step) throw new Error('no video step');
  return step;
};
const prepared = (record: Record<string, string>, more = '') =>
  prepareVideo(stepWith(more), { record: { about: 'x-ray', ...record }, steps: {} });

it.each([
  ['<b>Ada</b><script>alert(1)</script>', 'Ada'],
  ['Ada 👩‍💻', 'Ada'],
  ['\u202eadA\u202c', 'adA'],
  ['{{7*7}} Ada ${env}', 'Ada'],
])('%j is never sent raw: it is cleaned', (firstname, said) => {
  expect(prepared({ firstname })).toEqual({ variables: { first_name: said, about: 'x-ray' }, title: `For ${said}` });
});

it('or makes no video, where the recipe says so', () => {
  expect(prepared({ firstname: '<b>Ada</b> 👍' }, '      unclean: refuse\n')).toEqual({
    rejected: { code: 'unclean', reason: 'variable first_name holds HTML, emoji' },
  });
  expect(prepared({ firstname: 'Ada  Lovelace' }, '      unclean: refuse\n')).toMatchObject({
    variables: { first_name: 'Ada Lovelace' },
  });
});

it.each(['👍', '<br>', '{{name}}'])('%j leaves nothing to say: it is missing', (firstname) => {
  expect(prepared({ firstname })).toEqual({ rejected: { code: 'missing', reason: 'variable first_name is missing' } });
});

it('makes no video of a text that is too long, and cuts none', () => {
  expect(prepared({ firstname: 'Ada', about: 'a'.repeat(10_000) })).toEqual({
    rejected: { code: 'too-long', reason: 'variable about has 10000 characters, and a video says 5000 at most' },
  });
  expect(prepared({ firstname: 'Ada', about: 'a'.repeat(5_000) })).toHaveProperty('variables');
});

it('cuts a title, which nobody is read', () => {
  const made = prepared({ firstname: 'A'.repeat(1_000) });
  expect('title' in made && made.title).toHaveLength(200);
});
