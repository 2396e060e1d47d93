import type { SpanProcessor } from '@opentelemetry/sdk-trace';

// Between the marks of a URL, written out or encoded.
const ADDRESS = /[^/?&=\s]+(?:@|%40)[^/?&=\s]+/gi;

/** Takes addresses of people out of the URLs that spans of calls carry: some of a vendor's paths are made of them. */
export const withoutAddresses: SpanProcessor = {
  onStart: () => undefined,
  onEnd({ attributes }) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === 'string' && /^(url|http)\./.test(name))
        attributes[name] = value.replace(ADDRESS, '{address}');
    }
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
