import { valueAt } from './event';

// RFC 6901, section 5.
const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'm~n': 8, ' ': 7 };

it.each([
  ['', document],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/ ', 7],
  ['/m~0n', 8],
])('finds %p as the RFC says', (pointer, value) => {
  expect(valueAt(document, pointer)).toEqual(value);
});

it.each(['/bar', '/foo/2', '/foo/00', '/foo/-', '/foo/length', '/toString', '/__proto__', '/foo/0/0'])(
  'finds nothing at %p',
  (pointer) => {
    expect(valueAt(document, pointer)).toBeUndefined();
  },
);
