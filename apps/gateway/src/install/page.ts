import { escaped, type Page, page } from '../page';
import type { Installed } from './install';
import type { Refusal } from './refusal';

/** What the person is told who has installed the app. */
export function installedPage({ tenant, portal, missing }: Installed): Page {
  const lacks =
    missing.length === 0
      ? []
      : [
          '<p>HubSpot did not grant all that was asked for. What needs these scopes will be refused:</p>',
          `<ul>${missing.map((scope) => `<li><code>${escaped(scope)}</code></li>`).join('')}</ul>`,
        ];
  const says = `<p>The HubSpot account ${String(portal)} is connected as <b>${escaped(tenant)}</b>. You may close this page.</p>`;
  return { status: 200, html: page('Installed', [says, ...lacks]) };
}

/** What the person is told where it was refused. */
export function refusedPage({ status, title, code, message, again }: Refusal): Page {
  const link =
    again === undefined
      ? []
      : [`<p><a href="/oauth/hubspot/install?tenant=${encodeURIComponent(again)}">Begin again</a></p>`];
  const says = [`<p>${escaped(message)}</p>`, ...link, `<p><small>${escaped(code)}</small></p>`];
  return { status, html: page(title, says) };
}
