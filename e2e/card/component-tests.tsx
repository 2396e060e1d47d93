// The card by HubSpot's testing kit. Bundled and run in a browser by card-components.int.spec.ts, each by its name.
import {
  Alert,
  Button,
  DescriptionListItem,
  EmptyState,
  ErrorState,
  Link,
  LoadingButton,
  LoadingSpinner,
  Modal,
  StatusTag,
  Text,
} from '@hubspot/ui-extensions';
import { createRenderer, type RenderedElementNode } from '@hubspot/ui-extensions/testing';
import { RecordCard } from '../../deploy/hubspot-app/src/app/cards/record-card';
import { enrichment, everything, movedOn, nothing, rerendered, video } from './answers';

interface Call {
  url: string;
  method: string;
  body?: unknown;
}
type Reply = () => Response | Promise<Response>;

const json =
  (body: unknown, status = 200): Reply =>
  () =>
    new Response(JSON.stringify(body), { status });
const gone: Reply = () => Promise.reject(new Error('lost'));

/** The card on a contact's page, before a hub that gives these replies in turn, and the last one ever after. */
function shown(replies: Reply[], { waits = [0, 0], objectTypeId = '0-1' } = {}) {
  const calls: Call[] = [];
  const left = [...replies];
  const hsFetch = async (url: string, { method, body }: Omit<Call, 'url'>) => {
    calls.push({ url, method, ...(body !== undefined && { body }) });
    return ((left.length > 1 ? left.shift() : left[0]) as Reply)();
  };
  Object.assign(self, { hsFetch });
  const card = createRenderer('crm.record.tab');
  const { context, actions } = card.mocks;
  context.crm.objectTypeId = objectTypeId;
  const closed: string[] = [];
  actions.closeOverlay.willCall((id) => void closed.push(id));
  card.render(<RecordCard context={context} actions={actions} waits={waits} />);
  const texts = () =>
    [Text, DescriptionListItem, Alert].flatMap((kind) => card.findAll(kind as typeof Text)).map((one) => one.text);
  const until = (met: () => boolean, what: string) =>
    card.waitFor(() => equal(met(), true, `${what}; shown is\n${card.getRootNode().toString()}`));
  const says = (text: string) => until(() => texts().some((one) => one?.includes(text)), `says ${text}`);
  return { card, calls, closed, says, until };
}

function equal(actual: unknown, expected: unknown, what = ''): void {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value));
  if (is !== should) throw new Error(`${what}\nexpected ${should}\nbut it is ${is}`);
}

const hub = 'https://hub.example.com/cards/hubspot';
const look = { url: `${hub}/contact/123`, method: 'GET' };
const ask = { url: `${hub}/contact/123/renders`, method: 'POST', body: { recipe: 'instant-lead', after: 2 } };
const problem = (status: number, detail?: string) => json({ status, code: 'x', title: 'No', detail }, status);

type Shown = ReturnType<typeof shown>;

const opener = ({ card }: Shown) => card.find(Button, ({ text }) => text === 'Render again');
const dialog = (on: Shown) => (opener(on).props.overlay as unknown as RenderedElementNode).find(Modal);
const confirm = (on: Shown) => dialog(on).find(LoadingButton);

async function opened(replies: Reply[], options?: { waits: number[] }): Promise<Shown> {
  const on = shown([json(everything), ...replies], options);
  await on.until(
    () => on.card.maybeFind(Button, ({ text }) => text === 'Render again') !== null,
    'the button is there',
  );
  return on;
}

export const tests: Record<string, () => Promise<void>> = {
  'says that it is asking, and asks once for the record of the page': async () => {
    const on = shown([json(nothing)]);
    equal(on.card.find(LoadingSpinner).props.label, 'Asking Refrain');
    await on.until(() => on.card.maybeFind(LoadingSpinner) === null, 'it has an answer');
    equal(on.calls, [look]);
  },

  'knows companies and deals by their own names, and no other type': async () => {
    for (const [objectTypeId, type] of [
      ['0-2', 'company'],
      ['0-3', 'deal'],
    ] as const) {
      const { calls, until } = shown([json(nothing)], { objectTypeId });
      await until(() => calls.length === 1, 'it asks');
      equal(calls[0]?.url, `${hub}/${type}/123`);
    }
    const { calls, says } = shown([json(nothing)], { objectTypeId: '0-5' });
    await says('contacts, companies and deals');
    equal(calls, []);
  },

  'says so where nothing is known of the record': async () => {
    const { card, until } = shown([json(nothing)]);
    await until(() => card.maybeFind(EmptyState) !== null, 'nothing is known');
    equal(card.find(EmptyState).props.title, 'Nothing yet');
  },

  'shows the video with its link, its status in words and its cost': async () => {
    const { card, says } = shown([json(everything)]);
    await says('instant-lead');
    equal(card.find(Link).props.href, { url: video.url, external: true });
    equal(card.find(StatusTag).text, 'Ready');
    equal(card.find(DescriptionListItem, { label: 'Cost' }).text, '1 credit');
  },

  'shows score, summary and reasons, and evidence as quotes': async () => {
    const { card, says } = shown([json(everything)]);
    await says(enrichment.summary);
    equal(card.find(DescriptionListItem, { label: 'Score' }).text, '87');
    equal(card.find(DescriptionListItem, { label: 'Budget' }).text, '40,000');
    for (const reason of enrichment.reasons) await says(reason);
    for (const quote of enrichment.evidence) await says(`“${quote}”`);
    await says('cost 1,500 tokens');
  },

  'shows what a recipe fetched of another system, the last error in words, and what was spent': async () => {
    const { card, says } = shown([json(everything)]);
    await says('billing');
    equal(card.find(DescriptionListItem, { label: 'plan' }).text, 'pro');
    equal(card.find(Alert).props.title, 'Last error: writing to HubSpot');
    await says('HubSpot has no property lead_score.');
    await says('Run refrain init hubspot.');
    await says('2 credits and 1,500 tokens');
  },

  'lets a status that it does not know stand for itself, and links to nothing but http': async () => {
    const odd = { ...video, status: 'ON_HOLD', url: 'javascript:alert(1)' };
    const { card, says } = shown([json({ ...nothing, videos: [odd] })]);
    await says('instant-lead');
    equal(card.find(StatusTag).text, 'ON_HOLD');
    equal(card.findAll(Link).length, 0);
  },

  'says what the hub refused with, and asks again when told to': async () => {
    const on = shown([problem(503, 'The hub is starting.'), json(everything)]);
    await on.says('The hub is starting.');
    on.card.find(ErrorState).find(Button).trigger('onClick');
    await on.says('instant-lead');
    equal(on.calls, [look, look]);
  },

  'reads a refusal also where the proxy wraps it and calls it a success': async () => {
    const { code, title } = { code: 'unknown-portal', title: 'The account is not known here' };
    for (const responseBody of [{ code, title }, JSON.stringify({ code, title })]) {
      const { says } = shown([json({ status: 'error', category: 'BAD_GATEWAY', message: 'Error', responseBody })]);
      await says(title);
    }
  },

  'says so where the hub cannot be reached, too much is asked at once, or a page is answered': async () => {
    await shown([gone]).says('could not be reached');
    await shown([json({}, 429)]).says('Too much is asked');
    await shown([() => new Response('<html>502</html>', { status: 502 })]).says('did not answer as it should');
  },

  'says so where an answer was cut short': async () => {
    const whole = JSON.stringify(everything);
    await shown([() => new Response(whole.slice(0, whole.length / 2))]).says('cut short');
    await shown([json({ ...everything, external: undefined })]).says('cut short');
  },

  'keeps what it shows where a refresh is refused, and says that it may be old': async () => {
    const { card, says } = shown([json(everything), problem(503, 'The hub is starting.')]);
    await says('instant-lead');
    card.find(Button, ({ text }) => text === 'Refresh').trigger('onClick');
    await says('The hub is starting.');
    equal(card.find(Alert).props.title, 'This may be old');
    await says('instant-lead');
  },

  'shows the cost before it asks for a render, and asks for none unless told to': async () => {
    const on = await opened([json(rerendered)]);
    equal(dialog(on).find(Text).text?.includes('It costs 1 credit.'), true);
    equal(confirm(on).text, 'Render again for 1 credit');
    dialog(on)
      .find(Button, ({ text }) => text === 'Leave it')
      .trigger('onClick');
    equal(on.closed, ['render-again-instant-lead']);
    equal(on.calls, [look]);
  },

  'asks once however often it is told, with its buttons off, and looks until the new render shows': async () => {
    let answer = (_response: Response) => {};
    const asking = new Promise<Response>((resolve) => (answer = resolve));
    const on = await opened([() => asking, json(everything), json(rerendered)]);
    const button = confirm(on);
    button.trigger('onClick');
    button.trigger('onClick');
    await on.until(() => confirm(on).props.loading === true && opener(on).props.disabled === true, 'it is asking');
    answer(new Response('{"asked":true}', { status: 202 }));
    await on.says('It is being rendered.');
    equal(on.card.find(StatusTag).text, 'Waiting to be rendered');
    equal(on.calls, [look, ask, look, look]);
    equal(on.closed, ['render-again-instant-lead']);
  },

  'stops looking when the new render does not show': async () => {
    const on = await opened([json({ asked: true }, 202), json(everything)], { waits: [0, 0, 0] });
    confirm(on).trigger('onClick');
    await on.says('refresh in a while');
    equal(on.calls, [look, ask, look, look, look]);
  },

  'goes on looking where one look is refused': async () => {
    const on = await opened([json({ asked: true }, 202), gone, json(rerendered)]);
    confirm(on).trigger('onClick');
    await on.says('It is being rendered.');
    equal(on.calls, [look, ask, look, look]);
  },

  'shows the newer render where there is one already': async () => {
    const on = await opened([json(movedOn, 409), json(rerendered)]);
    confirm(on).trigger('onClick');
    await on.says('It is being rendered.');
    equal(on.calls, [look, ask, look]);
    equal(on.closed, ['render-again-instant-lead']);
  },

  'says in the dialog why a render was refused, and can be told again': async () => {
    const on = await opened([problem(404, 'The recipe is gone.')]);
    confirm(on).trigger('onClick');
    await on.until(() => dialog(on).maybeFind(Alert) !== null, 'the dialog says it');
    equal(dialog(on).find(Alert).text, 'The recipe is gone.');
    equal([confirm(on).props.loading, on.closed, on.calls.length], [false, [], 2]);
  },

  'says why it cannot be rendered again, and has no button for it': async () => {
    const { card, says } = shown([json(rerendered)]);
    await says('It cannot be rendered again now: It is being rendered.');
    equal(
      card.maybeFind(Button, ({ text }) => text === 'Render again'),
      null,
    );
  },
};
