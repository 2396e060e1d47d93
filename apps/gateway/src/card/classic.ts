import { crc32 } from 'node:zlib';
import type { Card, CardError } from './card-answer';

/** One value of a classic card. */
interface Property {
  label: string;
  dataType: 'STRING' | 'NUMERIC' | 'LINK';
  value: string;
}

/** The answer to a classic CRM card, in the shape of HubSpot's first version; HubSpot has switched these cards off. */
export interface ClassicCard {
  results: { objectId: number; title: string; link?: string; properties: Property[] }[];
}

/** The same as a card of today says, for code that still reads the classic shape. */
export function classicOf({ videos, enrichments, external }: Card): ClassicCard {
  return {
    results: [
      ...videos.map(({ recipe, status, at, url, error, cost }) => ({
        objectId: idOf('video', recipe),
        title: `Video of ${recipe}`,
        ...(url === null ? {} : { link: url }),
        properties: [
          text('Status', status),
          text('As of', at),
          ...(url === null ? [] : [{ label: 'Video', dataType: 'LINK' as const, value: url }]),
          ...(cost ? [number('Credits', cost.credits)] : []),
          ...saying(error),
        ],
      })),
      ...enrichments.map(({ recipe, status, at, score, sentiment, summary, reasons, evidence, facts, error }) => ({
        objectId: idOf('enrichment', recipe),
        title: `Score by ${recipe}`,
        properties: [
          text('Status', status),
          text('As of', at),
          ...(score === null ? [] : [number('Score', score)]),
          ...(sentiment === null ? [] : [number('Sentiment', sentiment)]),
          ...(summary === null ? [] : [text('Summary', summary)]),
          ...reasons.map((reason) => text('Reason', reason)),
          ...evidence.map((one) => text('Evidence', one)),
          ...facts.map(({ label, value }) => text(label, value)),
          ...saying(error),
        ],
      })),
      ...external.map(({ recipe, step, system, at, fields, error }) => ({
        objectId: idOf('external', `${recipe} ${step}`),
        title: `${system || step} by ${recipe}`,
        properties: [text('As of', at), ...fields.map(({ label, value }) => text(label, value)), ...saying(error)],
      })),
    ],
  };
}

const text = (label: string, value: string): Property => ({ label, dataType: 'STRING', value });
const number = (label: string, value: number): Property => ({ label, dataType: 'NUMERIC', value: String(value) });

const saying = (error: CardError | null): Property[] =>
  error ? [text('Error', error.remedy === null ? error.says : `${error.says} ${error.remedy}`)] : [];

/** HubSpot wants a number for each entry, the same at every look. */
const idOf = (kind: string, name: string): number => crc32(`${kind} ${name}`);
