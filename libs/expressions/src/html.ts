import { compile, type FormatCallback, type HtmlToTextOptions, type SelectorDefinition } from 'html-to-text';

/** Levels of HTML that are read. A mail's layout has some thirty; the library walks them by recursion. */
const DEEPEST = 100;
/** Stands where the library would have gone deeper; no text holds it. */
const TOO_DEEP = '\u{10ffff}';

/** By what a style keeps its content from being seen. Colours are not judged: what is behind a text is not known here. */
const HIDING = [
  /(?:^|;)display:none/,
  /(?:^|;)visibility:(?:hidden|collapse)/,
  /(?:^|;)opacity:(?:0(?:\.0+)?%?)(?:;|!|$)/,
  /(?:^|;)font-size:0(?:\.\d+)?(?:px|pt|em|rem|%)?(?:;|!|$)/,
  /(?:^|;)font-size:1px/,
  /(?:^|;)color:(?:transparent|rgba\([^)]*,0(?:\.0+)?\))/,
  /(?:^|;)(?:max-)?(?:height|width):0(?:px|pt|em|rem|%)?(?:;|!|$).*overflow:hidden|overflow:hidden.*;(?:max-)?(?:height|width):0(?:px|pt|em|rem|%)?(?:;|!|$)/,
  /(?:^|;)text-indent:-\d{3,}/,
  /(?:^|;)(?:left|top|right|bottom):-\d{3,}/,
  /(?:^|;)clip:rect\(0/,
  /(?:^|;)mso-hide:all/,
];

/** Whether an inline style hides its content from a reader. */
export function hides(style: string): boolean {
  const bare = style
    .toLowerCase()
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, '');
  return HIDING.some((one) => one.test(bare));
}

interface Styled {
  name: string;
  attribs: { style?: string; hidden?: string };
}

// What has a style is laid out as its element is, unless the style hides it.
const styled: FormatCallback = (element, walk, builder) => {
  const { name, attribs } = element as unknown as Styled;
  if (attribs.hidden !== undefined || hides(attribs.style ?? '')) return;
  const { formatters, selectors } = builder.options as Options;
  const own = selectors.find(({ selector }) => selector === name);
  formatters[own?.format ?? 'inline']?.(element, walk, builder, own?.options ?? {});
};

interface Options {
  formatters: Record<string, FormatCallback>;
  selectors: (SelectorDefinition & { options?: Parameters<FormatCallback>[3] })[];
}

const UNSEEN = ['[hidden]', 'template', 'noscript', 'title', 'head', 'object', 'svg', 'select', 'img'];

/**
 * What a reader of HTML would see, laid out by `options`: no tags, scripts, images, link targets, and nothing that `hidden`
 * or a style of its own hides. Undefined for HTML that is nested too deeply to be read.
 */
export function visibleText(options: HtmlToTextOptions = {}): (html: string) => string | undefined {
  const plain = compile({
    wordwrap: false,
    ...options,
    limits: { ...options.limits, maxDepth: DEEPEST, ellipsis: TOO_DEEP },
    formatters: { ...options.formatters, styled },
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
      ...(options.selectors ?? []),
      { selector: '[style]', format: 'styled' },
      ...UNSEEN.map((selector) => ({ selector, format: 'skip' })),
    ],
  });
  return (html) => {
    const text = plain(html);
    return text.includes(TOO_DEEP) ? undefined : text;
  };
}
