import { z } from 'zod';

/** A domain event in code: its short past-tense name and its data. */
export interface DomainEvent {
  type: string;
  data: unknown;
}

type Shapes = Record<string, { wire: string; data: z.ZodType }>;

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

/** Declares a context's events once: schema, type, wire name and topic. */
export const catalog = <const S extends Shapes>(context: string, topic: string, shapes: S): Catalog<S> => ({
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

/** The wire type (`refrain.render.requested.v1`) of an event; throws for a name that the catalog does not hold. */
export function wireType(of: Catalog, event: DomainEvent): string {
  const shape = of.shapes[event.type];
  if (!shape) throw new UnreadableEvent(event.type, `not an event of ${of.context}`);
  return shape.wire;
}

const readers = new WeakMap<Catalog, Map<string, { type: string; data: z.ZodType }>>();

/** Reads data of a wire type into an event, checked by its schema; throws {@link UnreadableEvent}. */
export function readEvent<C extends Catalog>(of: C, wire: string, data: unknown): EventOf<C> {
  let byWire = readers.get(of);
  if (!byWire) {
    byWire = new Map(Object.entries(of.shapes).map(([type, s]) => [s.wire, { type, data: s.data }]));
    readers.set(of, byWire);
  }
  const shape = byWire.get(wire);
  if (!shape) throw new UnreadableEvent(wire, `not a type of ${of.context}`);
  const parsed = shape.data.safeParse(data);
  if (!parsed.success) throw new UnreadableEvent(wire, z.prettifyError(parsed.error));
  return { type: shape.type, data: parsed.data } as EventOf<C>;
}
