import { Text } from '@hubspot/ui-extensions';
import type { Fault } from './answer';

/** What went wrong in words, and what mends it; the code is what support asks for. */
export function FaultText({ fault: { code, says, remedy } }: { fault: Fault }) {
  return (
    <>
      <Text>{says}</Text>
      {remedy && <Text>{remedy}</Text>}
      <Text variant="microcopy">Code: {code}</Text>
    </>
  );
}
