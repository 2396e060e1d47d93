import type { HeygenApiVersion } from '#libs/contracts';
import type { HeygenSettings } from './api';
import { HeygenClient } from './heygen.client';
import { LegacyHeygenClient } from './legacy.client';
import type { VideoVendor } from './video-vendor';

/** HeyGen by one of its versions. */
export const openHeygen = (version: HeygenApiVersion, settings: HeygenSettings): VideoVendor =>
  version === 'v3' ? new HeygenClient(settings) : new LegacyHeygenClient(settings);
