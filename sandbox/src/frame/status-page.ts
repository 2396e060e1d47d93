import type { Delivery } from '../courier.ts';
import type { Call } from './call-log.ts';

/** Text as it stands in a page, also in an attribute. */
export const escaped = (value: unknown): string =>
  String(value ?? '').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const json = (value: unknown): string =>
  value === undefined
    ? ''
    : `<details><summary>…</summary><pre>${escaped(JSON.stringify(value, null, 2))}</pre></details>`;

function table(heads: string[], rows: string[][]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:2rem;max-width:90rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}
pre{margin:0;white-space:pre-wrap;word-break:break-word}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}`;

/** Draws the page for people: state, latest calls and latest webhooks, without any outside asset. */
export function statusPage(vendor: string, calls: Call[], deliveries: Delivery[] | undefined, state: object): string {
  const callRows = calls.map((call) => [
    escaped(call.n),
    escaped(call.at),
    escaped(`${call.method} ${call.path}`),
    escaped(call.status ?? call.fault ?? 'running'),
    escaped(call.durationMs),
    json(call.requestBody),
    json(call.responseBody),
  ]);
  const deliveryRows = deliveries?.map((delivery) => [
    escaped(delivery.n),
    escaped(delivery.at),
    escaped(delivery.url),
    escaped(delivery.attempt),
    escaped(delivery.status ?? delivery.error ?? delivery.state),
    escaped(delivery.durationMs),
    json(delivery.body),
  ]);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(vendor)} sandbox</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body><h1>${escaped(vendor)} sandbox</h1>
<h2>State</h2><pre>${escaped(JSON.stringify(state, null, 2))}</pre>
<h2>Latest calls</h2>${table(['#', 'at', 'call', 'status', 'ms', 'request', 'response'], callRows)}
${deliveryRows ? `<h2>Latest webhooks</h2>${table(['#', 'at', 'url', 'attempt', 'status', 'ms', 'body'], deliveryRows)}` : ''}
</body></html>`;
}
