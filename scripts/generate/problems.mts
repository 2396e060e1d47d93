import { code, page, table } from './markdown.mts';

type Problems = Record<string, { status: number; kind: string; title: string }>;

const kinds: Record<string, string> = {
  invalid: 'Send something else: the same again ends the same way.',
  rejected: 'The request was understood and refused; note it and go on.',
  transient: 'Send the same again later, after `Retry-After` where it is given.',
  bug: 'A fault of the server. Nothing of it is told; the log has it in full.',
};

export function problemsPage(problems: Problems): string {
  return page(
    'Problems',
    'Every error over HTTP is answered as `application/problem+json` (RFC 9457) with `type` `urn:refrain:problem:<code>`, ' +
      '`title`, `status`, `code`, mostly a `detail`, and `errors` where parts of the request are at fault: each with `at` ' +
      '(a JSON pointer) and `detail`.',
    table(
      ['Code', 'Status', 'Kind', 'Title'],
      Object.entries(problems).map(([name, { status, kind, title }]) => [code(name), String(status), kind, title]),
    ),
    '## What the caller should do',
    table(
      ['Kind', 'Do'],
      [...new Set(Object.values(problems).map(({ kind }) => kind))].map((kind) => [kind, adviceOn(kind)]),
    ),
  );
}

function adviceOn(kind: string): string {
  const advice = kinds[kind];
  if (advice === undefined) throw new Error(`No advice is written for problems of the kind ${kind}`);
  return advice;
}
