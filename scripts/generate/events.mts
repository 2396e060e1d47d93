import type { Catalog } from '#libs/contracts';
import { jsonSchemaOf, shownType } from './json-schema.mts';
import { code, page, table } from './markdown.mts';

export function eventsPage(catalogs: readonly Catalog[]): string {
  return page(
    'Events',
    'What the hub decided, by context. An event is kept in its stream and published on its topic. A field without ' +
      '"optional" is always there. A change that would break a reader is a new version beside the old one.',
    ...catalogs.flatMap(contextPart),
  );
}

function contextPart({ context, topic, shapes }: Catalog): string[] {
  const events = Object.entries(shapes).flatMap(([name, { wire, data }]) => [
    `### ${name}`,
    `${data.description ?? ''} Type ${code(wire)}.`,
    fieldsTable(data),
  ]);
  return [`## ${context}`, `Topic ${code(topic)}.`, ...events];
}

function fieldsTable(data: Parameters<typeof jsonSchemaOf>[0]): string {
  const { properties = {}, required = [] } = jsonSchemaOf(data);
  return table(
    ['Field', 'Type', 'Meaning'],
    Object.entries(properties).map(([name, field]) => [
      code(name),
      shownType(field) + (required.includes(name) ? '' : ', optional'),
      field.description ?? nothingSaid(name),
    ]),
  );
}

function nothingSaid(field: string): never {
  throw new Error(`The field ${field} of an event has no .describe(), so the reference would say nothing of it`);
}
