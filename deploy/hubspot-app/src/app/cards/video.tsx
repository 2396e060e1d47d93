import { DescriptionList, DescriptionListItem, Inline, Link, StatusTag, Text, Tile } from '@hubspot/ui-extensions';
import type { RecordId, Video } from './answer';
import { FaultText } from './fault';
import { RenderAgain } from './render-again';
import type { Looking } from './use-record';
import { costWords, statusTone, statusWords, type TimeWords } from './words';

interface VideoTileProps {
  video: Video;
  record: RecordId;
  looking: Looking;
  close: (overlay: string) => void;
  time: TimeWords;
}

/** The newest render of a recipe. */
export function VideoTile({ video, record, looking, close, time }: VideoTileProps) {
  const { recipe, render, status, at, videoId, url, error, cost, again } = video;
  return (
    <Tile compact>
      <Inline gap="sm" align="center">
        <Text format={{ fontWeight: 'bold' }}>{recipe}</Text>
        <StatusTag variant={statusTone(status)}>{statusWords('video', status)}</StatusTag>
        {url && /^https?:/.test(url) && <Link href={{ url, external: true }}>Watch the video</Link>}
      </Inline>
      <DescriptionList direction="row">
        <DescriptionListItem label="Render">{String(render)}</DescriptionListItem>
        <DescriptionListItem label="Since">{time(at)}</DescriptionListItem>
        {cost && <DescriptionListItem label="Cost">{costWords(cost)}</DescriptionListItem>}
        {videoId && <DescriptionListItem label="Video">{videoId}</DescriptionListItem>}
      </DescriptionList>
      {error && <FaultText fault={error} />}
      {'refused' in again ? (
        <Text variant="microcopy">It cannot be rendered again now: {again.refused}</Text>
      ) : (
        <RenderAgain {...{ recipe, render, record, looking, close }} cost={again.cost} />
      )}
    </Tile>
  );
}
