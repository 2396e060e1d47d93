import { z } from 'zod';

/** A domain event in code: its short past-tense name and its data. */
export interface DomainEvent {
  type: string;
  data: unknown;
}

/** A version of an event that is written no more, but still stands in streams and on topics. */
export interface Earlier<To = unknown> {
  wire: string;
  data: z.ZodType;
  /** Lifts data of this version to the newest one; what was not known then is said as such. Pure. */
  upcast: (data: never) => To;
}

/** Declares an earlier version: its wire type, its own schema, and how its data is lifted to the newest version. */
export const earlier = <D extends z.ZodType, To>(
  wire: string,
  data: D,
  upcast: (data: z.output<D>) => To,
): Earlier<To> => ({ wire, data, upcast });

interface Shape {
  wire: string;
  data: z.ZodType;
  earlier?: readonly Earlier[];
}

type Shapes = Record<string, Shape>;

/** Every earlier version must be lifted to what the newest schema gives: the compiler holds this. */
type Lifting<S extends Shapes> = { [K in keyof S]: { earlier?: readonly Earlier<z.output<S[K]['data']>>[] } };

/** The events of one context, each with its wire type and schema, and the topic they are published on. */
export interface Catalog<S extends Shapes = Shapes> {
  context: string;
  topic: string;
  shapes: S;
}

/** The union of a catalog's events, inferred from its schemas. */
export type EventOf<C> =
  C extends Catalog<infer S>
    ? { [K in keyof S & string]: { type: K; data: z.infer<S[K]['data']> } }[keyof S & string]
    : never;

/** Declares a context's events once: schema, type, wire name and topic, and the versions that came before. */
export const catalog = <const S extends Shapes>(
  context: string,
  topic: string,
  shapes: S & Lifting<S>,
): Catalog<S> => ({
  context,
  topic,
  shapes,
});

/** Thrown when stored or received data does not fit the schema of its type: a bug or a foreign writer. */
export class UnreadableEvent extends Error {
  constructor(
    readonly wireType: string,
    detail: string,
  ) {
    super(`${wireType} cannot be read: ${detail}`);
    this.name = 'UnreadableEvent';
  }
}

/** The wire type (`refrain.render.requested.v1`) of an event: its newest; throws for a name that the catalog does not hold. */
export function wireType(of: Catalog, event: DomainEvent): string {
  const shape = of.shapes[event.type];
  if (!shape) throw new UnreadableEvent(event.type, `not an event of ${of.context}`);
  return shape.wire;
}

interface Reader {
  type: string;
  data: z.ZodType;
  lift?: (data: never) => unknown;
}

const readers = new WeakMap<Catalog, Map<string, Reader>>();

/** The wire types of one event: its newest, and those of its earlier versions. */
export function wiresOf<C extends Catalog>(of: C, type: keyof C['shapes'] & string): string[] {
  const { wire, earlier = [] } = of.shapes[type] ?? { wire: type };
  return [wire, ...earlier.map((version) => version.wire)];
}

/** Whether a wire type is one of a catalog's, in any version. */
export const isOf = (of: Catalog, wire: string): boolean => readersOf(of).has(wire);

/**
 * Reads data of a wire type into an event, checked by the schema of that very version and lifted to the newest: who reads
 * sees no other. Throws {@link UnreadableEvent}.
 */
export function readEvent<C extends Catalog>(of: C, wire: string, data: unknown): EventOf<C> {
  const reader = readersOf(of).get(wire);
  if (!reader) throw new UnreadableEvent(wire, `not a type of ${of.context}`);
  const parsed = reader.data.safeParse(data);
  if (!parsed.success) throw new UnreadableEvent(wire, z.prettifyError(parsed.error));
  return { type: reader.type, data: reader.lift ? reader.lift(parsed.data as never) : parsed.data } as EventOf<C>;
}

function readersOf(of: Catalog): Map<string, Reader> {
  let byWire = readers.get(of);
  if (!byWire) {
    byWire = new Map();
    for (const [type, { wire, data, earlier = [] }] of Object.entries(of.shapes)) {
      const versions = [{ wire, reader: { type, data } }].concat(
        earlier.map((e) => ({ wire: e.wire, reader: { type, data: e.data, lift: e.upcast } })),
      );
      for (const { wire: each, reader } of versions) {
        if (byWire.has(each)) throw new Error(`${each} is declared twice in ${of.context}`);
        byWire.set(each, reader);
      }
    }
    readers.set(of, byWire);
  }
  return byWire;
}
