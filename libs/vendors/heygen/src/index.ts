export type { HeygenSettings } from './api';
export { HeygenEndpoints, type SentEvent, type SentEvents, type WebhookEndpoint } from './endpoints';
export { HeygenClient } from './heygen.client';
export { LegacyHeygenClient } from './legacy.client';
export type { TemplateVariable, TemplateVideo, VideoState, VideoTemplate, VideoVendor } from './video-vendor';
export { openHeygen } from './versions';
