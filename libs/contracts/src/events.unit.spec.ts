import { z } from 'zod';
import { catalog, earlier, isOf, readEvent, UnreadableEvent, wireType } from './events';

const shelf = catalog('shelf', 'shelf.events.v1', {
  BookShelved: {
    wire: 'refrain.book.shelved.v3',
    data: z.object({ title: z.string(), authors: z.array(z.string()), year: z.int().nullable() }),
    earlier: [
      earlier('refrain.book.shelved.v1', z.object({ name: z.string().trim() }), ({ name }) => ({
        title: name,
        authors: [],
        year: null,
      })),
      earlier('refrain.book.shelved.v2', z.object({ title: z.string(), author: z.string() }), ({ title, author }) => ({
        title,
        authors: [author],
        year: null,
      })),
    ],
  },
  BookLost: { wire: 'refrain.book.lost.v1', data: z.object({ title: z.string() }) },
});

it.each([
  ['v1', { name: ' Walden ' }, { title: 'Walden', authors: [], year: null }],
  ['v2', { title: 'Walden', author: 'Thoreau' }, { title: 'Walden', authors: ['Thoreau'], year: null }],
  ['v3', { title: 'Walden', authors: ['Thoreau'], year: 1854 }, { title: 'Walden', authors: ['Thoreau'], year: 1854 }],
])('reads %s as the newest version', (version, data, newest) => {
  const wire = `refrain.book.shelved.${version}`;
  expect(readEvent(shelf, wire, data)).toEqual({ type: 'BookShelved', data: newest });
  expect(isOf(shelf, wire)).toBe(true);
});

it('checks an old shape by its own schema, and writes the newest type only', () => {
  expect(() => readEvent(shelf, 'refrain.book.shelved.v1', { title: 'Walden' })).toThrow(UnreadableEvent);
  expect(() => readEvent(shelf, 'refrain.book.shelved.v0', {})).toThrow('not a type of shelf');
  expect(wireType(shelf, { type: 'BookShelved', data: {} })).toBe('refrain.book.shelved.v3');
});

it('refuses a type that is declared twice', () => {
  const data = z.object({});
  const twice = catalog('c', 't', { A: { wire: 'a.v1', data }, B: { wire: 'a.v1', data } });
  expect(() => readEvent(twice, 'a.v1', {})).toThrow('a.v1 is declared twice');
});

it('does not compile where an old version is lifted to something else than the newest', () => {
  catalog('c', 't', {
    A: {
      wire: 'a.v2',
      data: z.object({ n: z.number() }),
      // @ts-expect-error: n is missing
      earlier: [earlier('a.v1', z.object({}), () => ({ m: 1 }))],
    },
  });
});
