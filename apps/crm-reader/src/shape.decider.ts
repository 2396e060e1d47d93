import type { ShapeChange, SweepEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';

/** A part of a portal, as it was seen last. */
export interface Shape {
  looks: number;
  entries?: Readonly<Record<string, string>>;
  /** When it is looked at again (RFC 3339). */
  next?: string;
}

export const unseen: Shape = { looks: 0 };

/** What is read of a part. */
export interface ShapeRequest {
  part: string;
}

/** `everyMs`: how often the part is looked at by itself. */
interface Look {
  part: string;
  at: string;
  everyMs: number;
}

export type ShapeInput =
  /** `isScheduled`: by the schedule, which asks whenever it starts; else a person does. */
  | ({ type: 'shape-asked'; isScheduled: boolean } & Look)
  /** The time has come; not wanted where no recipe goes by the part any more. */
  | { type: 'shape-time'; part: string; due: string; isWanted: boolean }
  | ({
      type: 'shape-read';
      look: number;
      ended: { answer: Readonly<Record<string, string>> } | { code: string };
    } & Look);

/** The kind of call by which a part is read. */
export const SHAPE = 'hubspot.shape';
const LOOK = /^look-(\d+)$/;
const purposeOf = (look: number): string => `look-${String(look)}`;

/** The look that a call was for. */
export const lookOf = (purpose: string): number => Number(LOOK.exec(purpose)?.[1]);

export function evolveShape(shape: Shape, event: SweepEvent): Shape {
  switch (event.type) {
    case 'ShapeKept':
      return { ...shape, entries: event.data.entries };
    case 'ShapeChanged':
      return { ...shape, entries: changed(shape.entries ?? {}, event.data.changes) };
    case 'ShapeLooked':
      return { ...shape, looks: event.data.look, next: event.data.next };
    default:
      return shape;
  }
}

function changed(entries: Readonly<Record<string, string>>, changes: readonly ShapeChange[]): Record<string, string> {
  const rest = Object.entries(entries).filter(([name]) => !changes.some((change) => change.name === name));
  const now = changes.flatMap(({ name, to }) => (to === undefined ? [] : [[name, to] as const]));
  return Object.fromEntries([...rest, ...now]);
}

/**
 * Looks at a part of a portal again and again, and says what is other than it was. Looks that overlap have one number:
 * the first answer counts.
 */
export function decideShape(shape: Shape, input: ShapeInput): Decision<SweepEvent> {
  switch (input.type) {
    case 'shape-asked':
      return input.isScheduled && isTimed(shape, input) ? nothing() : look(shape, input.part);
    case 'shape-time':
      return input.due === shape.next && input.isWanted ? look(shape, input.part) : nothing();
    case 'shape-read':
      return input.look === shape.looks + 1 ? onRead(shape, input) : nothing();
  }
}

function isTimed({ next }: Shape, { at, everyMs }: Look): boolean {
  const left = next === undefined ? 0 : Date.parse(next) - Date.parse(at);
  return left > 0 && left <= everyMs;
}

function look({ looks }: Shape, part: string): Decision<SweepEvent> {
  const request: ShapeRequest = { part };
  return {
    events: [],
    effects: [{ kind: SHAPE, purpose: purposeOf(looks + 1), request, lane: 'backfill' }],
  };
}

function onRead(shape: Shape, { part, look, ended, at, everyMs }: ShapeInput & { type: 'shape-read' }) {
  const next = new Date(Date.parse(at) + everyMs).toISOString();
  const code = 'code' in ended ? ended.code : undefined;
  const looked: SweepEvent = {
    type: 'ShapeLooked',
    data: { part, look, next, ...(code === undefined ? {} : { code }) },
  };
  const seen = 'code' in ended ? [] : seenIn(shape, part, ended.answer);
  return {
    events: [...seen, looked],
    timers: [{ name: 'look', due: next }],
    // What it says stands in the stream now.
    forget: code === undefined ? [{ kind: SHAPE, purpose: purposeOf(look) }] : [],
  };
}

function seenIn({ entries }: Shape, part: string, now: Readonly<Record<string, string>>): SweepEvent[] {
  if (!entries) return [{ type: 'ShapeKept', data: { part, entries: now } }];
  const changes = changesBetween(entries, now);
  return changes.length === 0 ? [] : [{ type: 'ShapeChanged', data: { part, changes } }];
}

function changesBetween(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): ShapeChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.map((name) => ({ name, from: before[name], to: now[name] })).filter(({ from, to }) => from !== to);
}
