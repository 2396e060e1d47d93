import { type Replacement, type VideoOptions, videoOptions } from '#libs/contracts';
import type { Json } from '#libs/expressions';
import type { Rejection } from './step';
import { type Text, plain } from './text';
import { publicUrlFault } from './public-url';

/** A variable of a template that is no text, ready to be filled. */
export interface ReplacementForm {
  type: Replacement['type'];
  properties: Readonly<Record<string, Text>>;
}

/** Options of a video, ready to be filled: values in the shape in which they are given. */
export interface OptionsForm {
  readonly [name: string]: Text | OptionsForm;
}

/** Properties that HeyGen fills itself where they are empty. */
const optional = new Set(['fit', 'play_style', 'locale']);

const words: Readonly<Record<string, readonly string[]>> = {
  play_style: ['fit_to_scene', 'freeze', 'loop', 'full_video'],
  type: ['avatar', 'talking_photo'],
};

const shapes: Readonly<Record<string, RegExp>> = {
  fit: /^[a-z_]{1,40}$/,
  locale: /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/,
};

const ID = /^[\w.:-]{1,200}$/;

/** Why HeyGen is not given a property of a variable; undefined where it is. What the record says is not repeated. */
export function propertyFault(property: string, value: string): Rejection | undefined {
  if (property === 'url') {
    const fault = publicUrlFault(value);
    if (fault === undefined) return undefined;
    return { code: 'unsafe-url', reason: `${fault}: give a public https address` };
  }
  const only = words[property];
  if (only) return only.includes(value) ? undefined : unfit(`must be one of ${only.join(', ')}`);
  const shape = shapes[property];
  if (shape) return shape.test(value) ? undefined : unfit(`is none that HeyGen has: see its list of ${property}s`);
  return ID.test(value) ? undefined : unfit('is no id: letters, digits, _ . : and - alone');
}

const unfit = (reason: string): Rejection => ({ code: 'unfit', reason });

/** Fills a variable; what is empty and needed is missing. */
export function replacementOf(
  name: string,
  { type, properties }: ReplacementForm,
  fill: (text: Text) => Json,
): Replacement | { rejected: Rejection } {
  const filled: Record<string, string> = {};
  for (const [property, text] of Object.entries(properties)) {
    const value = plain(fill(text)).trim();
    if (value === '' && optional.has(property)) continue;
    if (value === '') return { rejected: { code: 'missing', reason: `variable ${name} has no ${property}` } };
    const fault = propertyFault(property, value);
    if (fault) return { rejected: { ...fault, reason: `variable ${name}: its ${property} ${fault.reason}` } };
    filled[property] = value;
  }
  return { type, properties: filled };
}

/** Fills the options of a video, within what HeyGen takes. An empty folder is none. */
export function optionsOf(
  form: OptionsForm,
  fill: (text: Text) => Json,
): { options: VideoOptions } | { rejected: Rejection } {
  const given = filledIn(form, fill);
  if (given['folder'] === null || given['folder'] === '') delete given['folder'];
  const read = videoOptions.safeParse(given);
  if (read.success) return { options: read.data };
  const [issue] = read.error.issues;
  return { rejected: unfit(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`) };
}

function filledIn(form: OptionsForm, fill: (text: Text) => Json): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(form).map(([name, one]) => [name, isText(one) ? fill(one) : filledIn(one, fill)]),
  );
}

/** The values in a form, with where they stand. */
export function textsIn(form: OptionsForm): Text[] {
  return Object.values(form).flatMap((one) => (isText(one) ? [one] : textsIn(one)));
}

const isText = (one: Text | OptionsForm): one is Text => typeof one.evaluate === 'function';

/** The size of the picture that is known before anything is read; undefined where an expression says it. */
export function knownDimension({ dimension }: OptionsForm): VideoOptions['dimension'] {
  if (!dimension || isText(dimension)) return undefined;
  const [width, height] = ['width', 'height'].map((side) => {
    const one = dimension[side];
    return one && isText(one) ? one.literal : undefined;
  });
  return typeof width === 'number' && typeof height === 'number' ? { width, height } : undefined;
}
