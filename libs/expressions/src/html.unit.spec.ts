import { visibleText } from './html';

const seen = visibleText();

describe('what a reader does not see', () => {
  it.each([
    ['display', '<div style="display : NONE !important">X</div>'],
    ['visibility', '<span style="color:red; visibility:hidden">X</span>'],
    ['opacity', '<p style="opacity:0">X</p>'],
    ['no size', '<span style="font-size:0px">X</span>'],
    ['no height', '<div style="max-height:0; overflow:hidden">X</div>'],
    ['no height, said before', '<div style="overflow:hidden;height:0px">X</div>'],
    ['no colour', '<i style="color: transparent">X</i>'],
    ['off the page', '<div style="position:absolute; left:-9999px">X</div>'],
    ['an indent', '<p style="text-indent: -5000px">X</p>'],
    ['a comment in between', '<p style="dis/**/play:none">X</p>'],
    ['inside of what is hidden', '<div style="display:none"><p style="display:block">X</p></div>'],
    ['the attribute', '<p hidden>X</p>'],
    ['the attribute beside a style', '<p style="color:red" hidden>X</p>'],
    ['a comment', '<!-- X -->'],
    ['a script', '<script>X</script>'],
    ['a style sheet', '<style>.x { color: X }</style>'],
    ['a template', '<template>X</template>'],
    ['a title', '<head><title>X</title></head>'],
    ['a name of an image', '<img alt="X" src="x.png">'],
  ])('by %s is not in the text', (_, html) => {
    expect(seen(`<p>before</p>${html}<p>behind</p>`)).not.toContain('X');
    expect(seen(`<p>before</p>${html}<p>behind</p>`)).toMatch(/before\s+behind/);
  });
});

it('is only what hides: other styles are laid out as their elements are', () => {
  const html = '<p style="color:#fff">one</p><ul style="margin:0"><li style="opacity:0.5">two</li></ul>';
  expect(seen(html)).toBe('one\n\n * two');
  expect(seen('<p style="line-height:0">a</p><h1 style="font-size:10px">Big</h1>')).toMatch(/a\s+Big/);
  expect(seen('<a style="color:red" href="https://example.com">here</a>')).toBe('here');
});

it('tells nothing of HTML that is nested too deeply, and does not fail of it', () => {
  expect(seen('<b>'.repeat(20_000) + 'x')).toBeUndefined();
  expect(seen('<div>'.repeat(80) + 'x')).toBe('x');
});
