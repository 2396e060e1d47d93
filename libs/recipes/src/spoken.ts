/** What does not belong into a text that a video says or shows, by its name for people. */
const unclean: readonly [name: string, pattern: RegExp, instead: string][] = [
  // Whole elements first: what a script says is no text.
  ['HTML', /<(script|style)\b[^>]*>[\s\S]*?<\/\1\s*>|<!--[\s\S]*?-->|<\/?[a-z][^<>]*>/giu, ' '],
  // What another template engine would fill.
  ['template signs', /\{\{[^{}]*\}\}|\$\{[^{}]*\}|<%[\s\S]*?%>|\{%[\s\S]*?%\}|\[\[[^[\]]*\]\]/gu, ' '],
  // Letters from right to left are text; these only turn the order of others around.
  ['signs of direction', /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ''],
  ['emoji', /\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u20e3|\ufe0f/gu, ' '],
  ['invisible signs', /\u200d|[\u00ad\u200b\u2060\ufeff\u{e0000}-\u{e007f}]/gu, ''],
  ['control characters', /[^\P{Cc}\t\n\r]|\p{Co}|\p{Cn}/gu, ' '],
];

/** As many as HeyGen lets a script have (developers.heygen.com, limits). */
export const MOST_SPOKEN = 5_000;

/** A text as a video may say it, with what was taken out of it. */
export interface Spoken {
  text: string;
  /** Names of what did not belong there; empty where nothing was changed but blanks. */
  removed: string[];
}

/** What is taken out may leave together what stood apart: so it is looked for again, but not for ever. */
const ROUNDS = 5;
const SIGNS = /[<>{}[\]%$]/gu;

/**
 * The text without what does not belong into a video: HTML, signs that a template engine would fill, signs that turn the
 * order of letters around, emoji, invisible and control characters. Blanks are one each. Pure.
 */
export function spoken(text: string): Spoken {
  const removed = new Set<string>();
  let left = text.toWellFormed().normalize('NFC');
  for (let round = 0; ; round += 1) {
    const before = left;
    for (const [name, pattern, instead] of unclean) {
      const next = left.replace(pattern, instead);
      if (next !== left) removed.add(name);
      left = next;
    }
    if (left === before) break;
    if (round === ROUNDS) left = left.replace(SIGNS, ' ');
  }
  return { text: left.replace(/\s+/gu, ' ').trim(), removed: [...removed] };
}
