import type { HeygenApiVersion } from '#libs/contracts';
import type { HeygenSettings } from './api';
import { HeygenClient } from './heygen.client';
import { LegacyHeygenClient } from './legacy.client';
import type { VideoVendor } from './video-vendor';

/** HeyGen by one of its versions; test renders go by version 2, whatever is asked for. */
export const openHeygen = (version: HeygenApiVersion, settings: HeygenSettings): VideoVendor =>
  version === 'v3' && !settings.testRenders ? new HeygenClient(settings) : new LegacyHeygenClient(settings);
