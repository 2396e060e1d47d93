import { isObject, numberOf, objectOf, textOf } from './json.ts';

export const FAULT_KINDS = [
  'status',
  'hang',
  'delay',
  'reset',
  'accept-then-hang',
  'accept-then-reset',
  'html',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delayMs?: number;
  /** A vendor's own error name; the vendor fills in status and body. */
  code?: string;
}

interface Planned {
  match: { method?: string; pathPrefix?: string; bodyIncludes?: string };
  fault: Fault;
  times: number;
}

/** Hands each planned fault to the first matching calls, in the order the faults were planned. */
export class FaultQueue {
  #planned: Planned[] = [];

  /** Adds a fault; returns what is wrong with it instead, when something is. */
  plan(input: unknown): string | undefined {
    const { match, fault, times } = objectOf(input);
    if (!isObject(fault)) return 'fault: an object is needed';
    if (!FAULT_KINDS.includes(fault['kind'] as FaultKind)) return `fault.kind: one of ${FAULT_KINDS.join(', ')}`;
    if (fault['kind'] === 'status' && fault['status'] === undefined && fault['code'] === undefined)
      return 'fault: kind "status" needs a status or a code';
    const wanted = objectOf(match);
    this.#planned.push({
      match: {
        method: textOf(wanted['method'])?.toUpperCase(),
        pathPrefix: textOf(wanted['pathPrefix']),
        bodyIncludes: textOf(wanted['bodyIncludes']),
      },
      fault: fault as unknown as Fault,
      times: numberOf(times) ?? 1,
    });
    return undefined;
  }

  take(method: string, path: string, body: string): Fault | undefined {
    const hit = this.#planned.find(
      ({ match }) =>
        (match.method === undefined || match.method === method) &&
        (match.pathPrefix === undefined || path.startsWith(match.pathPrefix)) &&
        (match.bodyIncludes === undefined || body.includes(match.bodyIncludes)),
    );
    if (hit === undefined) return undefined;
    hit.times -= 1;
    if (hit.times <= 0) this.#planned = this.#planned.filter((planned) => planned !== hit);
    return hit.fault;
  }

  list(): readonly Planned[] {
    return this.#planned;
  }

  clear(): void {
    this.#planned = [];
  }
}
