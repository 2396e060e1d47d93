import { escaped, type Page, page } from '../page';

const pages = {
  // Whether there ever was one is nobody's business.
  unknown: {
    status: 404,
    title: 'There is no video here',
    text: 'The address is not complete, or the video was deleted. Ask whoever sent it to you.',
  },
  gone: {
    status: 410,
    title: 'This video is gone',
    text: 'It was deleted where it was kept. Ask whoever sent it to you for a new one.',
  },
  away: {
    status: 503,
    title: 'The video cannot be shown at the moment',
    text: 'It is still there. Try again in a few seconds.',
  },
  off: {
    status: 503,
    title: 'Videos are not shown here',
    text: 'This gateway is not set up for it: it needs HEYGEN_API_KEY and DATABASE_URL.',
  },
} as const;

/** Why a person is shown no video. */
export type NoVideo = keyof typeof pages;

/** What that person is shown instead. */
export function noVideoPage(why: NoVideo): Page {
  const { status, title, text } = pages[why];
  return { status, html: page(title, [`<p>${escaped(text)}</p>`, `<p><small>video-${why}</small></p>`]) };
}
