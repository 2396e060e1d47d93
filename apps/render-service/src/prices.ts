import type { SpendEstimate } from '#libs/process';
import type { TemplateVideo } from '#libs/vendors/heygen';
import type { RenderConfig } from './render.config';

/** What videos cost, in US dollars. */
export interface VideoPrices {
  /** A video of that length. */
  ofSeconds(seconds: number): number;
  /** A video that is not made yet; undefined where it costs nothing. */
  estimate(order: Pick<TemplateVideo, 'template' | 'variables'>): SpendEstimate | undefined;
  /** A video of which not even the texts are known; undefined where it costs nothing. */
  unknown: number | undefined;
}

type PriceSettings = Pick<RenderConfig, 'HEYGEN_USD_PER_SECOND' | 'HEYGEN_VIDEO_SECONDS' | 'HEYGEN_TEST_RENDERS'>;

/** 150 words a minute, as voices speak. */
const SECONDS_PER_WORD = 0.4;

/**
 * Prices by the second: a video is thought to be as long as its template without any text, and as its texts take to be
 * spoken. Of a template of which videos were made, what they cost counts instead. Test renders cost nothing.
 */
export function videoPrices(config: PriceSettings): VideoPrices {
  const perSecond = config.HEYGEN_TEST_RENDERS ? 0 : config.HEYGEN_USD_PER_SECOND;
  const costs = (usd: number): number | undefined => (usd > 0 ? usd : undefined);
  return {
    ofSeconds: (seconds) => seconds * perSecond,
    estimate({ template, variables }) {
      const words = Object.values(variables).join(' ').split(/\s+/).filter(Boolean).length;
      const usd = costs(perSecond * (config.HEYGEN_VIDEO_SECONDS + words * SECONDS_PER_WORD));
      return usd === undefined ? undefined : { usd, like: template };
    },
    unknown: costs(perSecond * config.HEYGEN_VIDEO_SECONDS),
  };
}
