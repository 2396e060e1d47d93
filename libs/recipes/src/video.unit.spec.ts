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
  expect(prepared({ firstname: 'Ada', about: 'a'.repeat(4_997) })).toHaveProperty('variables');
});

it('cuts a title, which nobody is read', () => {
  const made = prepared({ firstname: 'A'.repeat(1_000) });
  expect('title' in made && made.title).toHaveLength(200);
});

const filled = (variables: string, record: Record<string, string> = {}, more = '') => {
  const [step] = stepsOf(
    recipeOf(`recipe: r
trigger: { object: contact, property: p }
steps:
  - video:
      template: t
      title: A title
      variables: { ${variables} }
${more}`),
    'video',
  );
  if (!step) throw new Error('no video step');
  return prepareVideo(step, { record, steps: {} });
};
const rejected = (code: string, reason: RegExp) => ({
  rejected: { code, reason: expect.stringMatching(reason) as string },
});

it('fills variables of every type, each with what HeyGen takes for it', () => {
  const variables = [
    'name: "${record.name}"',
    'photo: { image: { url: "${record.photo}", fit: cover } }',
    'logo: { image: { asset_id: a-1 } }',
    'clip: { video: { url: "https://media.example.com/${record.name}.mp4", play_style: loop } }',
    'music: { audio: { asset_id: "${record.music}" } }',
    'host: { character: { character_id: "${record.host}", type: talking_photo } }',
    'speaker: { voice: { voice_id: v1, locale: "${record.locale}" } }',
  ].join(', ');
  const record = { name: 'Ada', photo: 'https://media.example.com/ada.jpg', music: 'm.1', host: 'h_1', locale: '' };
  expect(filled(variables, record)).toEqual({
    title: 'A title',
    variables: { name: 'Ada' },
    replacements: {
      photo: { type: 'image', properties: { url: record.photo, fit: 'cover' } },
      logo: { type: 'image', properties: { asset_id: 'a-1' } },
      clip: { type: 'video', properties: { url: 'https://media.example.com/Ada.mp4', play_style: 'loop' } },
      music: { type: 'audio', properties: { asset_id: 'm.1' } },
      host: { type: 'character', properties: { character_id: 'h_1', type: 'talking_photo' } },
      speaker: { type: 'voice', properties: { voice_id: 'v1' } },
    },
  });
});

it.each([
  ['http://media.example.com/a.jpg', /no https address/],
  ['file:///etc/passwd', /no https address/],
  ['data:image/png;base64,AAAA', /no https address/],
  ['javascript:alert(1)', /no https address/],
  ['//media.example.com/a.jpg', /no https address/],
  ['https://localhost/a.jpg', /not public/],
  ['https://LOCALHOST./a.jpg', /not public/],
  ['https://intranet/a.jpg', /not public/],
  ['https://files.internal/a.jpg', /not public/],
  ['https://metadata.google.internal/computeMetadata', /not public/],
  ['https://127.0.0.1/a.jpg', /by a number/],
  ['https://2130706433/a.jpg', /by a number/],
  ['https://0x7f.1/a.jpg', /by a number/],
  ['https://10.0.0.8/a.jpg', /by a number/],
  ['https://169.254.169.254/latest/meta-data', /by a number/],
  ['https://[::1]/a.jpg', /by a number/],
  ['https://[::ffff:127.0.0.1]/a.jpg', /by a number/],
  ['https://\u2460\u2461\u2466.0.0.1/a.jpg', /by a number/],
  ['https://ada:secret@media.example.com/a.jpg', /a name or a password/],
  ['https://media.example.com\\@127.0.0.1/a.jpg', /blanks or signs/],
  ['https://media.example.com/a b.jpg', /blanks or signs/],
  ['https://media.example.com/\u202egpj.exe', /blanks or signs/],
  [`https://media.example.com/${'a'.repeat(2_048)}`, /at most/],
])('%s is not passed on to HeyGen', (photo, why) => {
  const made = filled('photo: { image: { url: "${record.photo}" } }', { photo });
  expect(made).toEqual(rejected('unsafe-url', why));
  expect(JSON.stringify(made)).not.toContain('example.com');
});

it.each([
  ['an address that is missing', 'a: { image: { url: "${record.x}" } }', {}, 'missing', /variable a has no url/],
  ['an id that is none', 'a: { audio: { asset_id: "${record.x}" } }', { x: '../b' }, 'unfit', /asset_id is no id/],
  [
    'a way to play that HeyGen does not have',
    'a: { video: { asset_id: b, play_style: "${record.x}" } }',
    { x: 'backwards' },
    'unfit',
    /play_style must be one of fit_to_scene, freeze, loop, full_video/,
  ],
  [
    'a character of no type',
    'a: { character: { character_id: b, type: "${record.x}" } }',
    { x: 'robot' },
    'unfit',
    /type must be one of avatar, talking_photo/,
  ],
])('makes no video of %s', (_, variables, record, code, why) => {
  expect(filled(variables, record)).toEqual(rejected(code, why));
});

it('makes a video as the recipe or the record says', () => {
  const more = `      caption: "\${record.caption == 'yes'}"
      subtitles: { preset_name: bold, font_size: "\${number(record.size)}", position: { x: 10, y: 20 } }
      dimension: { width: 1280, height: "\${number(record.height)}" }
      folder: "\${record.folder}"
`;
  const record = { caption: 'yes', size: '24', height: '720', folder: 'f-1' };
  expect(filled('a: b', record, more)).toMatchObject({
    options: {
      caption: true,
      subtitles: { preset_name: 'bold', font_size: 24, position: { x: 10, y: 20 } },
      dimension: { width: 1280, height: 720 },
      folder: 'f-1',
    },
  });
  expect(filled('a: b', { ...record, folder: '' }, more)).not.toHaveProperty('options.folder');
  for (const [height, why] of [
    ['721', /^dimension\.height must be even$/],
    ['64', /must be 128 at least/],
    ['5000', /must be 4096 at most/],
  ] as const)
    expect(filled('a: b', { ...record, height }, more)).toEqual(rejected('unfit', why));
});

it('makes no video that says too much in all', () => {
  const record = { x: 'a'.repeat(2_501), y: 'b'.repeat(2_500) };
  const variables = 'one: "${record.x}", two: "${record.y}"';
  expect(filled(variables, record)).toEqual(rejected('too-long', /together 5001 characters, .* 5000 at most/));
  expect(filled(variables, { ...record, x: 'a'.repeat(2_500) })).toHaveProperty('variables');
});
