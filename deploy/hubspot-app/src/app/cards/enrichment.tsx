import { DescriptionList, DescriptionListItem, Inline, List, StatusTag, Text, Tile } from '@hubspot/ui-extensions';
import type { Enrichment } from './answer';
import { FaultText } from './fault';
import { costWords, statusTone, statusWords, type TimeWords } from './words';

/** What a model made of the record: score and summary, with what it goes by. */
export function EnrichmentTile({ enrichment, time }: { enrichment: Enrichment; time: TimeWords }) {
  const { recipe, status, at, model, score, sentiment, summary, reasons, evidence, facts, error, cost } = enrichment;
  const figures = [
    ...(score === null ? [] : [{ label: 'Score', value: String(score) }]),
    ...(sentiment === null ? [] : [{ label: 'Sentiment', value: String(sentiment) }]),
    ...facts,
  ];
  return (
    <Tile compact>
      <Inline gap="sm" align="center">
        <Text format={{ fontWeight: 'bold' }}>{recipe}</Text>
        <StatusTag variant={statusTone(status)}>{statusWords('enrichment', status)}</StatusTag>
      </Inline>
      {figures.length > 0 && (
        <DescriptionList direction="row">
          {figures.map(({ label, value }, index) => (
            <DescriptionListItem key={index} label={label}>
              {value}
            </DescriptionListItem>
          ))}
        </DescriptionList>
      )}
      {summary && <Text>{summary}</Text>}
      <Listed title="Reasons" items={reasons} />
      <Listed title="Evidence" items={evidence.map((quote) => `“${quote}”`)} isQuoted />
      {error && <FaultText fault={error} />}
      <Text variant="microcopy">
        {[time(at), ...(model ? [model] : []), ...(cost ? [`cost ${costWords(cost)}`] : [])].join(', ')}
      </Text>
    </Tile>
  );
}

function Listed({ title, items, isQuoted = false }: { title: string; items: string[]; isQuoted?: boolean }) {
  if (items.length === 0) return null;
  return (
    <>
      <Text format={{ fontWeight: 'demibold' }}>{title}</Text>
      <List variant="unordered">
        {items.map((item, index) => (
          <Text key={index} format={{ italic: isQuoted }}>
            {item}
          </Text>
        ))}
      </List>
    </>
  );
}
