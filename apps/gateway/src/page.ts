import type { FastifyReply } from 'fastify';

/** A page for a person: plain, without scripts, with nothing from elsewhere. */
export interface Page {
  status: number;
  html: string;
}

/** Nobody keeps such a page, learns its address from a link on it, or puts it into a frame. */
export const PAGE_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
};

export const showPage = (reply: FastifyReply, { status, html }: Page): void =>
  void reply.status(status).type('text/html; charset=utf-8').send(html);

/** A whole page of a title, which is text, and a body, which is HTML. */
export const page = (title: string, body: readonly string[]): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;color:#1d2733}</style>
</head><body><main><h1>${escaped(title)}</h1>
${body.join('\n')}
</main></body></html>
`;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A text as HTML shows it. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
