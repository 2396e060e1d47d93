import {
  Alert,
  Button,
  type CrmContext,
  EmptyState,
  ErrorState,
  type ExtensionPointApiActions,
  Flex,
  Heading,
  hubspot,
  Inline,
  LoadingSpinner,
  Text,
} from '@hubspot/ui-extensions';
import type { ReactNode } from 'react';
import type { Answer, RecordId } from './answer';
import { EnrichmentTile } from './enrichment';
import { ExternalTile } from './external';
import { FaultText } from './fault';
import { type Looking, useRecord } from './use-record';
import { VideoTile } from './video';
import { costWords, errorTitle, type TimeWords, timeWords } from './words';

/** About two minutes in all: a render takes that long, and HubSpot lets twenty questions of an account through at once. */
const WAITS = [2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 60_000];

const types: Record<string, RecordId['type']> = { '0-1': 'contact', '0-2': 'company', '0-3': 'deal' };

export interface RecordCardProps {
  context: CrmContext;
  actions: Pick<ExtensionPointApiActions<'crm.record.tab'>, 'closeOverlay'>;
  waits?: readonly number[];
}

export function RecordCard({ context, actions, waits = WAITS }: RecordCardProps) {
  const type = types[context.crm.objectTypeId];
  if (type === undefined) return <Text>Refrain shows contacts, companies and deals.</Text>;
  return (
    <Known
      record={{ type, id: String(context.crm.objectId) }}
      waits={waits}
      close={actions.closeOverlay}
      time={(at) => timeWords(at, { locale: context.user.locale, timezone: context.portal.timezone })}
    />
  );
}

interface KnownProps {
  record: RecordId;
  waits: readonly number[];
  close: (overlay: string) => void;
  time: TimeWords;
}

function Known({ record, waits, close, time }: KnownProps) {
  const looking = useRecord(record, waits);
  const { answer, refusal, isLooking, lookAgain } = looking;
  if (answer === undefined) {
    if (refusal === undefined) return <LoadingSpinner label="Asking Refrain" showLabel layout="centered" />;
    return (
      <ErrorState title="Refrain could not be asked">
        <Text>{refusal.message}</Text>
        <Button onClick={() => void lookAgain()} disabled={isLooking}>
          Try again
        </Button>
      </ErrorState>
    );
  }
  return (
    <Flex direction="column" gap="md">
      {refusal && (
        <Alert title="This may be old" variant="warning">
          {refusal.message}
        </Alert>
      )}
      <Parts {...{ answer, looking, record, close, time }} />
      {answer.cut !== undefined && <Text variant="microcopy">{answer.cut}</Text>}
      <Inline gap="sm" align="center">
        <Text variant="microcopy">
          As of {time(answer.asOf)}. Spent on this record: {costWords(answer.spent)}.
        </Text>
        <Button size="xs" variant="transparent" onClick={() => void lookAgain()} disabled={isLooking}>
          Refresh
        </Button>
      </Inline>
    </Flex>
  );
}

interface PartsProps extends Omit<KnownProps, 'waits'> {
  answer: Answer;
  looking: Looking;
}

function Parts({ answer, looking, record, close, time }: PartsProps) {
  const { videos, enrichments, external, lastError } = answer;
  if (videos.length + enrichments.length + external.length === 0 && lastError === null)
    return (
      <EmptyState title="Nothing yet" layout="vertical" imageName="object">
        <Text>No recipe has done anything for this record.</Text>
      </EmptyState>
    );
  return (
    <>
      {lastError && (
        <Alert title={errorTitle(lastError.of)} variant="danger">
          <FaultText fault={lastError} />
          <Text variant="microcopy">{time(lastError.at)}</Text>
        </Alert>
      )}
      <Section title="Videos" isEmpty={videos.length === 0}>
        {videos.map((video) => (
          // A render of its own has nothing to do with what was asked of the one before.
          <VideoTile key={`${video.recipe} ${video.render}`} {...{ video, looking, record, close, time }} />
        ))}
      </Section>
      <Section title="AI assessment" isEmpty={enrichments.length === 0}>
        {enrichments.map((enrichment) => (
          <EnrichmentTile key={`${enrichment.recipe} ${enrichment.ask}`} enrichment={enrichment} time={time} />
        ))}
      </Section>
      <Section title="From other systems" isEmpty={external.length === 0}>
        {external.map((fetched) => (
          <ExternalTile key={`${fetched.recipe} ${fetched.step}`} fetched={fetched} time={time} />
        ))}
      </Section>
    </>
  );
}

function Section({ title, isEmpty, children }: { title: string; isEmpty: boolean; children: ReactNode }) {
  if (isEmpty) return null;
  return (
    <Flex direction="column" gap="sm">
      <Heading>{title}</Heading>
      {children}
    </Flex>
  );
}

hubspot.extend<'crm.record.tab'>(({ context, actions }) => <RecordCard context={context} actions={actions} />);
