import { DescriptionList, DescriptionListItem, Text, Tile } from '@hubspot/ui-extensions';
import type { External } from './answer';
import { FaultText } from './fault';
import type { TimeWords } from './words';

/** What a recipe fetched of another system. */
export function ExternalTile({ fetched, time }: { fetched: External; time: TimeWords }) {
  const { system, step, recipe, at, fields, error } = fetched;
  return (
    <Tile compact>
      <Text format={{ fontWeight: 'bold' }}>{system}</Text>
      {fields.length > 0 && (
        <DescriptionList direction="row">
          {fields.map(({ label, value }, index) => (
            <DescriptionListItem key={index} label={label}>
              {value}
            </DescriptionListItem>
          ))}
        </DescriptionList>
      )}
      {error && <FaultText fault={error} />}
      <Text variant="microcopy">
        {recipe}, step {step}, {time(at)}
      </Text>
    </Tile>
  );
}
