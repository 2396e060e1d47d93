import { linksOf } from './video-links';

const key = 'k'.repeat(32);
const settings = { VIDEO_LINK_KEY: key, PUBLIC_URL: 'https://hub.example.test' };
const linkOf = (streamId: string, render: number, over = {}) => linksOf({ ...settings, ...over })?.(streamId)(render);
const stream = 'render-acme:contact:7:lead';

it('gives a render the same link at any time, and another one to any other', () => {
  const link = linkOf(stream, 1)?.link ?? '';
  expect(link).toMatch(/^[\w-]{22}$/);
  expect(linkOf(stream, 1)).toEqual({ url: `https://hub.example.test/v/${link}`, link });
  const others = [
    linkOf(stream, 2),
    linkOf('render-globex:contact:7:lead', 1),
    linkOf('render-acme:contact:71:lead', 1),
    linkOf(stream, 1, { VIDEO_LINK_KEY: 'l'.repeat(32) }),
  ];
  expect(new Set([link, ...others.map((other) => other?.link)]).size).toBe(5);
});

it('gives none without a key', () => {
  expect(linksOf({ ...settings, VIDEO_LINK_KEY: undefined })).toBeUndefined();
});
